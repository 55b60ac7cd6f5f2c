-- Which of two sources scores higher on a prompt? A tie is a half; several answers of a source count with their mean.
-- params: none
-- rows:   one per prompt and two sources that both have a score on it
with means as (
    select
        prompt_key,
        source_key,
        favg(score) as score,
    from answer_scores
    group by prompt_key, source_key
)
select
    sources.label as source,
    others.label as against,
    one.prompt_key,
    tso_id('p', one.prompt_key) as prompt_id,
    one.score,
    other.score as against_score,
    (1 + sign(one.score - other.score)) / 2 as win,
    (1 - sign(one.score - other.score)) / 2 as loss,
from means as one
join means as other on other.prompt_key = one.prompt_key and other.source_key > one.source_key
join sources on sources.source_key = one.source_key
join sources as others on others.source_key = other.source_key
order by source, against, prompt_id

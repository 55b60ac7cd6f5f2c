-- What does each eligible prompt lack for a pair of two texts of its candidates that have scores?
-- params: none
-- rows:   one per eligible prompt; the reason is null where it lacks nothing
with counted as (
    select
        prompt_key,
        sum(n_answers) as n_answers,
        count(*) as n_texts,
        count(value) as n_scored,
    from candidates
    group by prompt_key
)
select
    eligible.prompt_key,
    case
        when counted.prompt_key is null then 'no_answers'
        when counted.n_answers < 2 then 'one_answer'
        when counted.n_texts < 2 then 'identical'
        when counted.n_scored < 2 then 'unscored'
    end as reason,
from eligible
left join counted on counted.prompt_key = eligible.prompt_key
where eligible.reason is null
order by eligible.prompt_key

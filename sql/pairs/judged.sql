-- Which drawn pairs stand: no ties, no equal texts, and within the recipe's limits?
-- params: $needs_scores boolean: whether both sides must be scored
--         $min_margin double: least chosen minus rejected score; null for no limit
--         $min_chosen_score double: null for no limit
--         $max_rejected_score double: null for no limit
--         $score_pools varchar[]: the pools that draw by score, where a chosen answer must score higher
--         $verdict_pools varchar[]: the pools that draw by verdict, where equal scores are no tie
--         $max_length_ratio double: longer over shorter answer in characters; null for no limit
-- rows:   one per pool, prompt and round; of a prompt's pairs of the same two texts the first round, whichever way round
with sides as (
    select
        drawn.pool,
        drawn.prompt_key,
        drawn.round,
        drawn.chosen_key,
        drawn.rejected_key,
        drawn.reason,
        chosen.source_key as chosen_source_key,
        rejected.source_key as rejected_source_key,
        chosen.text_key = rejected.text_key as is_identical,
        least(chosen.text_key, rejected.text_key) as one_text_key,
        greatest(chosen.text_key, rejected.text_key) as other_text_key,
        greatest(chosen.n_chars, rejected.n_chars)::double / least(chosen.n_chars, rejected.n_chars) as length_ratio,
        chosen_scored.value as chosen_score,
        rejected_scored.value as rejected_score,
    from drawn
    left join responses as chosen on chosen.response_key = drawn.chosen_key
    left join responses as rejected on rejected.response_key = drawn.rejected_key
    left join scored as chosen_scored on chosen_scored.response_key = drawn.chosen_key
    left join scored as rejected_scored on rejected_scored.response_key = drawn.rejected_key
),
again as (
    select
        pool,
        prompt_key,
        round,
    from sides
    semi join (select pool, prompt_key from drawn where round > 1) as several using (pool, prompt_key)
    where chosen_key is not null
    qualify row_number() over (partition by pool, prompt_key, one_text_key, other_text_key order by round) > 1
)
select
    pool,
    prompt_key,
    round,
    chosen_key,
    rejected_key,
    chosen_source_key,
    rejected_source_key,
    chosen_score,
    rejected_score,
    case
        when reason is not null then reason
        when is_identical then 'identical'
        when $needs_scores::boolean and (chosen_score is null or rejected_score is null) then 'unscored'
        when chosen_score = rejected_score and not list_contains($verdict_pools::varchar[], pool) then 'tie'
        when chosen_score < rejected_score and list_contains($score_pools::varchar[], pool) then 'tie'
        when chosen_score - rejected_score < $min_margin::double then 'min_margin'
        when chosen_score < $min_chosen_score::double then 'min_chosen_score'
        when rejected_score > $max_rejected_score::double then 'max_rejected_score'
        when length_ratio > $max_length_ratio::double then 'max_length_ratio'
    end as reason,
from sides
anti join again using (pool, prompt_key, round)
order by pool, prompt_key, round

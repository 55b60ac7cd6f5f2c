-- Which answer is best on each prompt, and which of those that score below it is its opponent?
-- In round i it is the i-th of them in a random order, so each is as likely as the others, and none comes twice.
-- params: $pool varchar: the pool's name
--         $n_rounds integer: how many pairs a prompt may give
--         $ties varchar: several best answers: 'draw' one or 'skip' the prompt
--         $chosen_seed ubigint: the seed that orders the best
--         $rejected_seed ubigint: the seed that orders the opponents
-- rows:   one per eligible prompt and round
with highest as (
    select
        prompt_key,
        max(value) as best,
    from candidates
    group by prompt_key
),
bests as (
    select
        candidates.prompt_key,
        arg_min(
            candidates.response_key,
            {'place': tso_hash64(candidates.response_key, $chosen_seed::ubigint), 'response_key': candidates.response_key}
        ) as chosen_key,
        count(*) as n_best,
    from candidates
    join highest on highest.prompt_key = candidates.prompt_key and highest.best = candidates.value
    group by candidates.prompt_key
),
opponents as (
    select
        candidates.prompt_key,
        candidates.response_key as rejected_key,
        row_number() over (
            partition by candidates.prompt_key
            order by tso_hash64(candidates.response_key, $rejected_seed::ubigint), candidates.response_key
        ) as round,
    from candidates
    join highest on highest.prompt_key = candidates.prompt_key and candidates.value < highest.best
    qualify round <= $n_rounds
)
select
    $pool::varchar as pool,
    lacking.prompt_key,
    coalesce(opponents.round, 1)::integer as round,
    bests.chosen_key,
    opponents.rejected_key,
    case
        when lacking.reason is not null then lacking.reason
        when opponents.rejected_key is null then 'tie'
        when bests.n_best > 1 and $ties::varchar = 'skip' then 'tie'
    end as reason,
from lacking
left join bests on bests.prompt_key = lacking.prompt_key
left join opponents on opponents.prompt_key = lacking.prompt_key
order by lacking.prompt_key, round

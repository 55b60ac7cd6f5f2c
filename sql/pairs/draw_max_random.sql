-- Which answer is best on each prompt, and which of those that score below it is its opponent?
-- In round i it is the i-th of them in a random order, so each is as likely as the others, and none comes twice.
-- params: $pool varchar: the pool's name
--         $n_rounds integer: how many pairs a prompt may give
--         $ties varchar: several best answers: 'draw' one or 'skip' the prompt
--         $chosen_seed ubigint: the seed that orders the best
--         $rejected_seed ubigint: the seed that orders the opponents
-- rows:   one per eligible prompt and round
with counted as (
    select
        prompt_key,
        sum(n_answers) as n_answers,
        count(*) as n_texts,
        count(value) as n_scored,
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
    join counted on counted.prompt_key = candidates.prompt_key and counted.best = candidates.value
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
    join counted on counted.prompt_key = candidates.prompt_key and candidates.value < counted.best
    qualify round <= $n_rounds
)
select
    $pool::varchar as pool,
    open.prompt_key,
    coalesce(opponents.round, 1)::integer as round,
    bests.chosen_key,
    opponents.rejected_key,
    case
        when counted.prompt_key is null then 'no_answers'
        when counted.n_answers < 2 then 'one_answer'
        when counted.n_texts < 2 then 'identical'
        when counted.n_scored < 2 then 'unscored'
        when opponents.rejected_key is null then 'tie'
        when bests.n_best > 1 and $ties::varchar = 'skip' then 'tie'
    end as reason,
from eligible as open
left join counted on counted.prompt_key = open.prompt_key
left join bests on bests.prompt_key = open.prompt_key
left join opponents on opponents.prompt_key = open.prompt_key
where open.reason is null
order by open.prompt_key, round

-- Which answer is best and which worst on each prompt; in round i, which is i-th best and i-th worst?
-- Equal scores are ordered by a race of their own, or the prompt is passed over, as $ties says.
-- params: $pool varchar: the pool's name
--         $snapshot_seq bigint: the last commit that the build sees
--         $sources ubigint[]: who competes
--         $n_rounds integer: how many pairs a prompt may give
--         $ties varchar: 'draw' or 'skip'
--         $best_seed ubigint: the seed of the race among the best
--         $worst_seed ubigint: the seed of the race among the worst
-- rows:   one per eligible prompt and round
with answers as (
    select
        responses.prompt_key,
        responses.response_key,
        scored.value,
    from responses
    semi join (select prompt_key from eligible where reason is null) as open using (prompt_key)
    anti join (select response_key from set_aside where pool = $pool) as aside using (response_key)
    left join scored on scored.response_key = responses.response_key
    where
        responses.commit_seq <= $snapshot_seq
        and not responses.is_empty
        and list_contains($sources::ubigint[], responses.source_key)
),
counted as (
    select
        prompt_key,
        count(*) as n_answers,
        count(value) as n_scored,
        min(value) as lowest,
        max(value) as highest,
    from answers
    group by prompt_key
),
-- the first round by itself, because ranking all answers costs three times as much; no two keys have the same hash
ends as (
    select
        answers.prompt_key,
        arg_min(answers.response_key, tso_hash64(answers.response_key, $best_seed::ubigint))
            filter (where answers.value = counted.highest) as chosen_key,
        arg_min(answers.response_key, tso_hash64(answers.response_key, $worst_seed::ubigint))
            filter (where answers.value = counted.lowest) as rejected_key,
        count(*) filter (where answers.value = counted.highest) > 1
            or count(*) filter (where answers.value = counted.lowest) > 1 as tied,
    from answers
    join counted on counted.prompt_key = answers.prompt_key
    where answers.value in (counted.lowest, counted.highest)
    group by answers.prompt_key
),
ranked as (
    select
        prompt_key,
        response_key,
        row_number() over (
            partition by prompt_key
            order by value desc, tso_hash64(response_key, $best_seed::ubigint)
        ) as best_rank,
        row_number() over (
            partition by prompt_key
            order by value, tso_hash64(response_key, $worst_seed::ubigint)
        ) as worst_rank,
        count(*) over (partition by prompt_key, value) as n_equal,
    from answers
    where value is not null and $n_rounds::integer > 1
),
drawn as (
    select
        prompt_key,
        1 as round,
        chosen_key,
        rejected_key,
        tied,
    from ends
    union all
    select
        best.prompt_key,
        best.best_rank,
        best.response_key,
        worst.response_key,
        best.n_equal > 1 or worst.n_equal > 1,
    from ranked as best
    join ranked as worst on worst.prompt_key = best.prompt_key and worst.worst_rank = best.best_rank
    where best.best_rank between 2 and $n_rounds::integer
)
select
    $pool::varchar as pool,
    open.prompt_key,
    coalesce(drawn.round, 1)::integer as round,
    drawn.chosen_key,
    drawn.rejected_key,
    case
        when counted.prompt_key is null then 'no_answers'
        when counted.n_answers < 2 then 'one_answer'
        when counted.n_scored < 2 then 'unscored'
        when drawn.chosen_key = drawn.rejected_key then 'tie'
        when drawn.tied and $ties::varchar = 'skip' then 'tie'
    end as reason,
from eligible as open
left join counted on counted.prompt_key = open.prompt_key
left join drawn on drawn.prompt_key = open.prompt_key
where open.reason is null
order by open.prompt_key, round

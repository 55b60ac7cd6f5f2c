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
    from answers
    group by prompt_key
),
ranked as (
    select
        prompt_key,
        response_key,
        row_number() over (
            partition by prompt_key
            order by value desc, tso_hash64(response_key, $best_seed::ubigint), response_key
        ) as best_rank,
        row_number() over (
            partition by prompt_key
            order by value, tso_hash64(response_key, $worst_seed::ubigint), response_key
        ) as worst_rank,
        count(*) over (partition by prompt_key, value) as n_equal,
    from answers
    where value is not null
),
drawn as (
    select
        best.prompt_key,
        best.best_rank as round,
        best.response_key as chosen_key,
        worst.response_key as rejected_key,
        best.n_equal > 1 or worst.n_equal > 1 as tied,
    from ranked as best
    join ranked as worst on worst.prompt_key = best.prompt_key and worst.worst_rank = best.best_rank
    where best.best_rank <= $n_rounds
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

-- Which compared answers make the pairs of each prompt? In round i it is the i-th two of them in a random order.
-- params: $pool varchar: the pool's name
--         $n_rounds integer: how many pairs a prompt may give
--         $min_preference double: how much the chosen one is preferred, at least; null for anything above one half
-- rows:   one per eligible prompt and round
with decided as (
    select
        prompt_key,
        chosen_key,
        rejected_key,
        number,
        case
            when is_identical then 'identical'
            when is_tied then 'tie'
            when preference < $min_preference::double then 'min_preference'
        end as reason,
    from compared
),
-- a prompt without a pair tells what came nearest to one
drawn as (
    select
        decided.*,
        row_number() over (
            partition by prompt_key
            order by
                list_position(['min_preference', 'tie', 'identical'], reason) nulls first,
                number,
                chosen_key,
                rejected_key
        ) as round,
    from decided
    qualify round = 1 or (reason is null and round <= $n_rounds)
)
select
    $pool::varchar as pool,
    open.prompt_key,
    coalesce(drawn.round, 1)::integer as round,
    case when drawn.reason is null then drawn.chosen_key end as chosen_key,
    case when drawn.reason is null then drawn.rejected_key end as rejected_key,
    case when drawn.prompt_key is null then 'uncompared' else drawn.reason end as reason,
from eligible as open
left join drawn on drawn.prompt_key = open.prompt_key
where open.reason is null
order by open.prompt_key, round

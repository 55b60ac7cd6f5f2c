-- Which pairs do the accepted answers make?
-- The first accepted with the second, the third with the fourth, and so on; the one that scores higher is chosen.
-- params: $pool varchar: the pool's name
-- rows:   one per eligible prompt and round
with counted as (
    select
        prompt_key,
        sum(n_answers) as n_answers,
        count(*) as n_texts,
        count(value) as n_scored,
    from candidates
    group by prompt_key
),
drawn as (
    select
        earlier.prompt_key,
        (earlier.step + 1) // 2 as round,
        case when earlier.value >= later.value then earlier.response_key else later.response_key end as chosen_key,
        case when earlier.value >= later.value then later.response_key else earlier.response_key end as rejected_key,
    from accepted as earlier
    join accepted as later on later.prompt_key = earlier.prompt_key and later.step = earlier.step + 1
    where earlier.step % 2 = 1
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
        when counted.n_texts < 2 then 'identical'
        when counted.n_scored < 2 then 'unscored'
    end as reason,
from eligible as open
left join counted on counted.prompt_key = open.prompt_key
left join drawn on drawn.prompt_key = open.prompt_key
where open.reason is null
order by open.prompt_key, round

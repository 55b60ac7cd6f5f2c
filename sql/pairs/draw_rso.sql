-- Which pairs do the accepted answers make?
-- The first accepted with the second, the third with the fourth, and so on; the one that scores higher is chosen.
-- params: $pool varchar: the pool's name
-- rows:   one per eligible prompt and round
with drawn as (
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
    lacking.prompt_key,
    coalesce(drawn.round, 1)::integer as round,
    drawn.chosen_key,
    drawn.rejected_key,
    lacking.reason,
from lacking
left join drawn on drawn.prompt_key = lacking.prompt_key
order by lacking.prompt_key, round

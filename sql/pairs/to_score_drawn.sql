-- Which drawn answers have not been scored yet?
-- params: none
-- rows:   one per answer
with sides as (
    select chosen_key as response_key from drawn where chosen_key is not null
    union
    select rejected_key from drawn where rejected_key is not null
)
select
    sides.response_key,
from sides
anti join scored on scored.response_key = sides.response_key
order by sides.response_key

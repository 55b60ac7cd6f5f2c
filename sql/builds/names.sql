-- Which builds are there?
-- params: none
-- rows:   one per build, by name
select
    name,
from builds
order by name

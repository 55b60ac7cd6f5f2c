-- Which build goes by this name?
-- params: $name varchar: the name
-- rows:   one, or none
select
    build_key,
    base,
    seed,
    snapshot_key,
    n_prompts,
    n_pairs,
from builds
where name = $name
order by build_key

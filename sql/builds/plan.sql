-- From what was a build drawn, and how?
-- params: $name varchar: its name
-- rows:   one, or none
select
    builds.build_key,
    builds.base,
    builds.seed,
    builds.snapshot_key,
    builds.snapshot_seq,
    builds.resolved,
    recipes.body as recipe,
from builds
join recipes on recipes.recipe_key = builds.recipe_key
where builds.name = $name
order by builds.build_key

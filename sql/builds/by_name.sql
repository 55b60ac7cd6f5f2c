-- Which build goes by this name?
-- params: $name varchar: the name
-- rows:   one, or none
select
    builds.build_key,
    builds.base,
    builds.seed,
    builds.snapshot_key,
    builds.n_prompts,
    builds.n_pairs,
    recipes.body as recipe,
from builds
join recipes on recipes.recipe_key = builds.recipe_key
where builds.name = $name
order by builds.build_key

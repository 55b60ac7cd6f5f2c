-- What is the key of each build made of?
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per build, by name
select
    builds.name,
    builds.build_key,
    builds.snapshot_key,
    builds.snapshot_seq,
    recipes.body,
    builds.resolved,
    builds.seed,
from builds
join recipes on recipes.recipe_key = builds.recipe_key
where builds.commit_seq >= $first_seq
order by builds.name

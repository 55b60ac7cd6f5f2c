-- What does an export say about the build it comes from?
-- params: $name varchar: the build's name
-- rows:   one, or none where no build has the name; of several the newest first
select
    builds.build_key,
    tso_id('bld', builds.build_key) as build_id,
    builds.base,
    builds.seed,
    tso_id('snap', builds.snapshot_key) as snapshot_id,
    recipes.body as recipe,
    builds.resolved,
from builds
join recipes on recipes.recipe_key = builds.recipe_key
where builds.name = $name
order by builds.commit_seq desc, builds.build_key

-- Which builds of pairs are there, around which base, and by whose scores?
-- params: $build varchar: one build's name; null for all
-- rows:   one per build, by name
select
    builds.name as build,
    builds.base,
    builds.resolved ->> '$.scores.judge' as judge,
    builds.resolved ->> '$.scores.rubric' as rubric,
    recipes.body as recipe,
    (builds.resolved -> '$.calibrations')::varchar[] as calibrations,
from builds
join recipes on recipes.recipe_key = builds.recipe_key
where ($build::varchar is null or builds.name = $build::varchar) and builds.n_pairs > 0
order by builds.name

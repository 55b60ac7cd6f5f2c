-- What does a stage need to know of its build?
-- params: $name varchar: the build's name
-- rows:   one, or none
select
    builds.build_key,
    builds.base,
    sources.source_key,
    (select max(minibatches.minibatch) from minibatches where minibatches.build_key = builds.build_key) as n_minibatches,
    recipes.body as recipe,
from builds
join recipes on recipes.recipe_key = builds.recipe_key
left join sources on sources.label = builds.base
where builds.name = $name
order by builds.commit_seq desc, builds.build_key
limit 1

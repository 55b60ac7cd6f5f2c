-- Which minibatches has a build?
-- params: $build ubigint: the build's key
-- rows:   one per minibatch, in order
select distinct
    minibatches.minibatch,
from minibatches
where minibatches.build_key = $build
order by minibatches.minibatch

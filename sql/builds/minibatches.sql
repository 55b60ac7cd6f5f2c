-- How large are the minibatches?
-- params: $build_key ubigint: the build
-- rows:   one per minibatch, in order
select
    minibatch,
    n_prompts,
    n_pairs,
from minibatches
where build_key = $build_key
order by minibatch

-- Which pairs are stored for a build?
-- params: $build_key ubigint: the build
-- rows:   one per pair, by prompt and round
select
    pair_key,
    build_key,
    prompt_key,
    chosen_key,
    rejected_key,
    chosen_source_key,
    rejected_source_key,
    pool,
    round,
    chosen_score,
    rejected_score,
    split,
    minibatch,
from pairs
where build_key = $build_key
order by prompt_key, round

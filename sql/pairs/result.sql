-- Which pairs are the build?
-- params: $build_key ubigint: the build
-- rows:   one per pair, by prompt and round
select
    ('0x' || sha256('["pair",' || selected.chosen_key || ',' || selected.rejected_key || ']')[:16])::ubigint as pair_key,
    $build_key::ubigint as build_key,
    selected.prompt_key,
    selected.chosen_key,
    selected.rejected_key,
    selected.chosen_source_key,
    selected.rejected_source_key,
    selected.pool,
    selected.round,
    selected.chosen_score,
    selected.rejected_score,
    split.split,
    split.minibatch,
from selected
join split on split.prompt_key = selected.prompt_key
order by selected.prompt_key, selected.round

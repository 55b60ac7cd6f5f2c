-- What is the xor of the keys of a build's pairs?
-- params: $build_key ubigint: the build
-- rows:   one
select
    coalesce(bit_xor(pair_key), 0::ubigint) as pairs_xor,
from pairs
where build_key = $build_key
order by pairs_xor

-- Which pairs have a key that is not of their two answers?
-- fault:  a pair's id would not be the same in all builds, so feedback and explanations would miss it
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per pair, by build
select
    tso_id('pair', pairs.pair_key) as id,
    tso_id('bld', pairs.build_key) as build_id,
    tso_id('r', pairs.chosen_key) as chosen_response_id,
    tso_id('r', pairs.rejected_key) as rejected_response_id,
from pairs
where
    pairs.commit_seq >= $first_seq
    and pairs.pair_key
    <> ('0x' || sha256('["pair",' || pairs.chosen_key || ',' || pairs.rejected_key || ']')[:16])::ubigint
order by pairs.build_key, pairs.pair_key, pairs.prompt_key

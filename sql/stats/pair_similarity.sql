-- How alike are the two answers of a pair: the share of words and word pairs that they have in common (Jaccard)?
-- Case and punctuation do not count; a Chinese or Japanese character is a word. The sample is the pairs that come first
-- in the order of a hash with the seed.
-- params: $build varchar: the build's name
--         $n_sample bigint: how many pairs to look at
--         $seed ubigint: of the sample
-- rows:   one per pair of the sample
with sampled as (
    select
        pairs.pair_key,
        pairs.prompt_key,
        pairs.pool,
        pairs.chosen_key,
        pairs.rejected_key,
    from pairs
    join (select build_key from builds where name = $build::varchar) as asked on asked.build_key = pairs.build_key
    order by tso_hash64(pairs.pair_key, $seed::ubigint), pairs.pair_key
    limit $n_sample::bigint
),
worded as (
    select
        sampled.pair_key,
        sampled.prompt_key,
        sampled.pool,
        regexp_extract_all(lower(chosen.text), '[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{N}]+') as chosen,
        regexp_extract_all(lower(rejected.text), '[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{N}]+') as rejected,
    from sampled
    join responses as chosen on chosen.response_key = sampled.chosen_key
    join responses as rejected on rejected.response_key = sampled.rejected_key
),
shingled as (
    select
        pair_key,
        prompt_key,
        pool,
        list_distinct(chosen || [chosen[i] || ' ' || chosen[i + 1] for i in range(1, len(chosen))]) as chosen,
        list_distinct(rejected || [rejected[i] || ' ' || rejected[i + 1] for i in range(1, len(rejected))]) as rejected,
    from worded
),
compared as (
    select
        pair_key,
        prompt_key,
        pool,
        len(list_intersect(chosen, rejected)) as n_common,
        len(chosen) + len(rejected) as n_both,
    from shingled
)
select
    pool,
    prompt_key,
    tso_id('p', prompt_key) as prompt_id,
    tso_id('pair', pair_key) as pair_id,
    n_common / nullif(n_both - n_common, 0)::double as similarity,
    n_common / nullif(n_both - n_common, 0)::double >= 0.8 as is_near_identical,
from compared
order by prompt_id, pair_id

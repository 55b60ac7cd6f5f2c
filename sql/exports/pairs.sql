-- Which pairs of a split can be written, and with which texts?
-- params: $build ubigint: the build's key
--         $split varchar: train or held_out
--         $first_key ubigint: the first pair key of the run
--         $last_key ubigint: the last pair key of the run
-- rows:   one per pair, by pair id
select
    tso_id('pair', pairs.pair_key) as pair_id,
    tso_id('p', pairs.prompt_key) as prompt_id,
    prompts.messages as prompt,
    chosen.text as chosen,
    rejected.text as rejected,
    tso_id('r', pairs.chosen_key) as chosen_response_id,
    tso_id('r', pairs.rejected_key) as rejected_response_id,
    chosen_source.label as chosen_source,
    rejected_source.label as rejected_source,
    pairs.chosen_score,
    pairs.rejected_score,
    pairs.pool,
    pairs.minibatch,
    pairs.split,
from judged
join pairs on pairs.pair_key = judged.row_key and pairs.round = judged.place
join prompts on prompts.prompt_key = pairs.prompt_key
join texts as chosen on chosen.response_key = pairs.chosen_key
join texts as rejected on rejected.response_key = pairs.rejected_key
join sources as chosen_source on chosen_source.source_key = pairs.chosen_source_key
join sources as rejected_source on rejected_source.source_key = pairs.rejected_source_key
where
    pairs.build_key = $build
    and judged.split = $split
    and judged.reason is null
    and judged.run_key between $first_key and $last_key
order by pairs.pair_key, pairs.round

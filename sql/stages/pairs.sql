-- Which pairs are a minibatch, with their texts?
-- params: $build ubigint: the build's key
--         $minibatch integer: the minibatch, counted from 1
-- rows:   one per pair, by pair id
select
    tso_id('pair', pairs.pair_key) as pair_id,
    prompts.messages as prompt,
    chosen.text as chosen,
    rejected.text as rejected,
from pairs
join prompts on prompts.prompt_key = pairs.prompt_key
join responses as chosen on chosen.response_key = pairs.chosen_key
join responses as rejected on rejected.response_key = pairs.rejected_key
where pairs.build_key = $build and pairs.minibatch = $minibatch
order by pair_id

-- How many pairs of a build can be exported, and why can the others not?
-- params: $build ubigint: the build's key
--         $minibatch integer = null: count only this minibatch
-- rows:   one per split and reason; the reason is null for the pairs that can be exported
select
    pairs.split,
    case
        when prompts.prompt_key is null or chosen.response_key is null or rejected.response_key is null
            then 'text_not_in_store'
        when prompts.own_turns then 'prompt_has_own_turns'
        when chosen.is_empty then 'chosen_is_empty'
        when rejected.is_empty then 'rejected_is_empty'
        when chosen.text_key = rejected.text_key then 'chosen_equals_rejected'
    end as reason,
    count(*) as n_pairs,
from pairs
left join prompts on prompts.prompt_key = pairs.prompt_key
left join responses as chosen on chosen.response_key = pairs.chosen_key
left join responses as rejected on rejected.response_key = pairs.rejected_key
where
    pairs.build_key = $build
    and ($minibatch::integer is null or pairs.minibatch = $minibatch::integer)
group by pairs.split, reason
order by pairs.split, reason nulls first

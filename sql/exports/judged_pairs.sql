-- Which pairs of a build can be written, and why can the others not?
-- params: $build ubigint: the build's key
--         $minibatch integer = null: only this minibatch
--         $alternating boolean = false: refuse prompts whose turns are not the user's and the assistant's in turn
--         $chosen_once boolean = false: refuse the chosen answer of a pair where an earlier pair has it too
-- rows:   one per pair, by key; the reason is null where the pair can be written
select
    looked_at.pair_key as run_key,
    looked_at.pair_key as row_key,
    looked_at.round as place,
    looked_at.split,
    case
        when looked_at.reason is null and $chosen_once::boolean and looked_at.nth_of_chosen > 1
            then 'chosen_is_there_already'
        else looked_at.reason
    end as reason,
    looked_at.n_chars,
    [looked_at.chosen_key, looked_at.rejected_key] as answers,
from (
    select
        *,
        row_number() over (partition by chosen_key, reason is null order by pair_key, round) as nth_of_chosen,
    from (
        select
            pairs.pair_key,
            pairs.round,
            pairs.chosen_key,
            pairs.rejected_key,
            pairs.split,
            case
                when prompts.prompt_key is null or chosen.response_key is null or rejected.response_key is null
                    then 'text_not_in_store'
                when prompts.own_turns then 'prompt_has_own_turns'
                when $alternating::boolean and not list_bool_and(list_transform(
                    list_filter(prompts.messages, lambda turn: turn.role <> 'system'),
                    lambda turn, position: (turn.role = 'user') = (position % 2 = 1)
                )) then 'turns_do_not_alternate'
                when chosen.is_empty then 'chosen_is_empty'
                when rejected.is_empty then 'rejected_is_empty'
                when chosen.text_key = rejected.text_key then 'chosen_equals_rejected'
            end as reason,
            length(prompts.text) + chosen.n_chars + rejected.n_chars as n_chars,
        from pairs
        left join prompts on prompts.prompt_key = pairs.prompt_key
        left join responses as chosen on chosen.response_key = pairs.chosen_key
        left join responses as rejected on rejected.response_key = pairs.rejected_key
        where
            pairs.build_key = $build
            and ($minibatch::integer is null or pairs.minibatch = $minibatch::integer)
    ) as plain
) as looked_at
order by run_key, place

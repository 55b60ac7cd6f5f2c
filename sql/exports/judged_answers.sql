-- Which answers of a build can be written, and why can the others not?
-- params: $build ubigint: the build's key
--         $minibatch integer = null: only this minibatch
--         $ranked boolean = false: they are written as lists, so each needs company and no equal
-- rows:   one per answer, by key, or by prompt where they are ranked; the reason is null where it can be written
select
    case when $ranked::boolean then looked_at.prompt_key else looked_at.response_key end as run_key,
    looked_at.response_key as row_key,
    looked_at.place,
    looked_at.split,
    case
        when looked_at.reason is null and $ranked::boolean and count(*) over on_prompt = 1 then 'alone_on_its_prompt'
        else looked_at.reason
    end as reason,
    looked_at.n_chars,
    [looked_at.response_key] as answers,
from (
    select
        * exclude (reason),
        case
            when reason is null and $ranked::boolean and row_number() over equal_texts > 1 then 'equals_a_better_answer'
            else reason
        end as reason,
    from (
        select
            build_responses.prompt_key,
            build_responses.response_key,
            build_responses.place,
            build_responses.split,
            responses.text_key,
            case
                when prompts.prompt_key is null or responses.response_key is null then 'text_not_in_store'
                when prompts.own_turns then 'prompt_has_own_turns'
                when responses.is_empty then 'answer_is_empty'
            end as reason,
            length(prompts.text) + responses.n_chars as n_chars,
        from build_responses
        left join prompts on prompts.prompt_key = build_responses.prompt_key
        left join responses on responses.response_key = build_responses.response_key
        where
            build_responses.build_key = $build
            and ($minibatch::integer is null or build_responses.minibatch = $minibatch::integer)
    ) as plain
    window equal_texts as (partition by prompt_key, text_key, reason is null order by place, response_key)
) as looked_at
window on_prompt as (partition by looked_at.prompt_key, looked_at.reason is null)
order by run_key, place, row_key

-- Which prompts are among those named?
-- params: $in_prompt varchar[]: ids of prompts whose own words were found
--         $in_answers varchar[]: ids of prompts whose answers were found
-- rows:   one per prompt
with found as (
    select
        unnest($in_prompt::varchar[]) as prompt_id,
        true as in_prompt,
        false as in_answers,
    union all
    select unnest($in_answers::varchar[]), false, true
),
named as (
    select
        prompt_id,
        bool_or(in_prompt) as in_prompt,
        bool_or(in_answers) as in_answers,
    from found
    group by prompt_id
)
select
    tso_key('p', v_prompts.prompt_id) as prompt_key,
    v_prompts.prompt_id,
    coalesce(named.in_prompt, false) as in_prompt,
    coalesce(named.in_answers, false) as in_answers,
    v_prompts.text,
from v_prompts
left join named on named.prompt_id = v_prompts.prompt_id
order by prompt_id

-- Which ranked answers has each prompt of a split, the best first?
-- params: $build ubigint: the build's key
--         $split varchar: train or held_out
--         $first_key ubigint: the first prompt key of the run
--         $last_key ubigint: the last prompt key of the run
-- rows:   one per prompt, by prompt id
select
    tso_id('p', build_responses.prompt_key) as prompt_id,
    any_value(prompts.messages) as prompt,
    list(texts.text order by judged.place, judged.row_key) as responses,
    list(build_responses.score order by judged.place, judged.row_key) as scores,
    list(sources.label order by judged.place, judged.row_key) as sources,
    list(tso_id('r', judged.row_key) order by judged.place, judged.row_key) as response_ids,
from judged
join build_responses on build_responses.response_key = judged.row_key and build_responses.place = judged.place
join prompts on prompts.prompt_key = build_responses.prompt_key
join texts on texts.response_key = build_responses.response_key
join sources on sources.source_key = build_responses.source_key
where
    build_responses.build_key = $build
    and judged.split = $split
    and judged.reason is null
    and judged.run_key between $first_key and $last_key
group by build_responses.prompt_key
order by build_responses.prompt_key

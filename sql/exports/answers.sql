-- Which answers of a split can be written, and with which texts?
-- params: $build ubigint: the build's key
--         $split varchar: train or held_out
--         $first_key ubigint: the first response key of the run
--         $last_key ubigint: the last response key of the run
-- rows:   one per answer, by response id
select
    tso_id('r', build_responses.response_key) as response_id,
    prompts.messages as prompt,
    texts.text as answer,
    sources.label as source,
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
order by build_responses.response_key, build_responses.place

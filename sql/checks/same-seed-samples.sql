-- Which sources gave the same words to a prompt more than once under one seed, as if they were several samples?
-- fault:  a fixed engine seed makes replicas return identical samples (vllm #11953), which then count as agreement
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per prompt, source, seed and text, by prompt
select
    tso_id('p', responses.prompt_key) as id,
    any_value(sources.label) as source,
    responses.seed,
    list_sort(list(distinct responses.sample_index)) as samples,
    tso_id('r', min(responses.response_key)) as response_id,
from responses
left join sources on sources.source_key = responses.source_key
where responses.seed is not null and not responses.is_empty
group by
    responses.prompt_key,
    responses.source_key,
    responses.seed,
    responses.text_key,
    responses.settings_key,
    responses.previous_key
having count(distinct responses.sample_index) > 1 and max(responses.commit_seq) >= $first_seq
order by responses.prompt_key, source, responses.seed, response_id

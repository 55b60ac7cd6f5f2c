-- Why did prompts of a build get no pair, and which is one of them?
-- params: $build varchar: the build's name
-- rows:   one per reason, most frequent first
with wanted as materialized (
    select tso_build($build::varchar) as build_key
)
select
    build_prompts.reason,
    count(*) as n_prompts,
    tso_id('p', min(build_prompts.prompt_key)) as example_prompt_id,
    min_by(prompts.text, build_prompts.prompt_key) as example_text,
from build_prompts
join prompts on prompts.prompt_key = build_prompts.prompt_key
semi join wanted on wanted.build_key = build_prompts.build_key
where build_prompts.outcome = 'skipped'
group by build_prompts.reason
order by n_prompts desc, build_prompts.reason

-- Which prompts of a build stand on both sides of the split, or in several minibatches?
-- fault:  rows that were trained on are reported as held out; a stage's reference has seen its own prompts
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per build and prompt, by build
with placed as (
    select build_key, prompt_key, split, minibatch from pairs where commit_seq >= $first_seq
    union all
    select build_key, prompt_key, split, minibatch from build_responses where commit_seq >= $first_seq
)
select
    tso_id('p', placed.prompt_key) as id,
    tso_id('bld', placed.build_key) as build_id,
    list_sort(list(distinct placed.split)) as splits,
    list_sort(list(distinct placed.minibatch)) as minibatches,
from placed
group by placed.build_key, placed.prompt_key
having count(distinct placed.split) > 1 or count(distinct placed.minibatch) > 1
order by placed.build_key, placed.prompt_key

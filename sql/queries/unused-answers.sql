-- Which answers to a build's prompts stand in none of its pairs?
--
-- Only answers that were in the store when the build was drawn; the best score is over all judges and dimensions.
-- params: $build varchar: the build's name
-- rows:   one per answer, by prompt, the best score first
with wanted as materialized (
    select tso_build($build::varchar) as build_key
),
asked as materialized (
    select
        build_prompts.prompt_key,
        build_prompts.reason,
        build.snapshot_seq,
    from build_prompts
    join (
        select
            build_key,
            min(snapshot_seq) as snapshot_seq,
        from builds
        semi join wanted using (build_key)
        group by build_key
    ) as build on build.build_key = build_prompts.build_key
),
used as (
    select chosen_key as response_key from pairs semi join wanted using (build_key)
    union all
    select rejected_key from pairs semi join wanted using (build_key)
),
unused as (
    select
        responses.response_key,
        responses.prompt_key,
        responses.source_key,
        responses.n_chars,
        responses.is_empty,
        asked.reason,
    from responses
    join asked on asked.prompt_key = responses.prompt_key and asked.snapshot_seq >= responses.commit_seq
    where responses.response_key not in (select response_key from used)
),
scored as (
    select
        scores.response_key,
        max(scores.value) as best_score,
        count(scores.value) as n_scores,
    from scores
    join asked on asked.prompt_key = scores.prompt_key and asked.snapshot_seq >= scores.commit_seq
    group by scores.response_key
)
select
    tso_id('p', unused.prompt_key) as prompt_id,
    tso_id('r', unused.response_key) as response_id,
    sources.label as source,
    scored.best_score,
    coalesce(scored.n_scores, 0) as n_scores,
    unused.n_chars,
    unused.is_empty,
    unused.reason as prompt_skipped,
from unused
join sources on sources.source_key = unused.source_key
left join scored on scored.response_key = unused.response_key
order by unused.prompt_key, scored.best_score desc nulls last, unused.response_key

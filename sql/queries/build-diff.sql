-- Which pairs has one build that another has not, or the other way round?
-- A flipped pair has the same two answers with the sides exchanged, shown as in the later build. A build of answers or
-- lists has its answers on the chosen side, and nothing on the other.
-- params: $before varchar: a build's name
--         $after varchar: another build's name
--         $change varchar = null: 'added', 'removed', 'flipped' or 'kept' alone; all but the kept ones if left out
-- rows:   one per pair, by change, prompt and answers
with wanted as materialized (
    select
        tso_build($before::varchar) as before_key,
        tso_build($after::varchar) as after_key,
),
entries as materialized (
    select
        build_key,
        prompt_key,
        chosen_key,
        rejected_key,
        chosen_source_key,
        rejected_source_key,
        chosen_score,
        rejected_score,
        split,
        minibatch,
        least(chosen_key, rejected_key) as one_key,
        greatest(chosen_key, rejected_key) as other_key,
    from pairs
    where build_key in (select unnest([before_key, after_key]) from wanted)
    union all
    select
        build_key,
        prompt_key,
        response_key,
        null,
        source_key,
        null,
        score,
        null,
        split,
        minibatch,
        response_key,
        response_key,
    from build_responses
    where build_key in (select unnest([before_key, after_key]) from wanted)
),
earlier as (
    select * from entries where build_key = (select before_key from wanted)
),
later as (
    select * from entries where build_key = (select after_key from wanted)
),
matched as (
    select
        case
            when earlier.prompt_key is null then 'added'
            when later.prompt_key is null then 'removed'
            when earlier.chosen_key = later.chosen_key then 'kept'
            else 'flipped'
        end as change,
        coalesce(later.prompt_key, earlier.prompt_key) as prompt_key,
        coalesce(later.chosen_key, earlier.chosen_key) as chosen_key,
        case when later.prompt_key is null then earlier.rejected_key else later.rejected_key end as rejected_key,
        coalesce(later.chosen_source_key, earlier.chosen_source_key) as chosen_source_key,
        case
            when later.prompt_key is null then earlier.rejected_source_key else later.rejected_source_key
        end as rejected_source_key,
        case when later.prompt_key is null then earlier.chosen_score else later.chosen_score end as chosen_score,
        case when later.prompt_key is null then earlier.rejected_score else later.rejected_score end as rejected_score,
        earlier.split as split_before,
        later.split as split_after,
        earlier.minibatch as minibatch_before,
        later.minibatch as minibatch_after,
    from earlier
    full join later
        on later.prompt_key = earlier.prompt_key
        and later.one_key = earlier.one_key
        and later.other_key = earlier.other_key
)
select
    matched.change,
    tso_id('p', matched.prompt_key) as prompt_id,
    tso_id('r', matched.chosen_key) as chosen_response_id,
    tso_id('r', matched.rejected_key) as rejected_response_id,
    chosen.label as chosen_source,
    rejected.label as rejected_source,
    matched.chosen_score,
    matched.rejected_score,
    matched.split_before,
    matched.split_after,
    matched.minibatch_before,
    matched.minibatch_after,
from matched
join sources as chosen on chosen.source_key = matched.chosen_source_key
left join sources as rejected on rejected.source_key = matched.rejected_source_key
where coalesce(matched.change = $change::varchar, matched.change <> 'kept')
order by matched.change, prompt_id, chosen_response_id, rejected_response_id

-- Which prompts has one build that another has not, and why has the other not?
-- params: $before_key ubigint: a build
--         $after_key ubigint: another build
-- rows:   one per change and reason, most frequent first; a reason is the other build's, not_there where it never saw it
with earlier as (
    select prompt_key, outcome, reason from build_prompts where build_key = $before_key
),
later as (
    select prompt_key, outcome, reason from build_prompts where build_key = $after_key
),
matched as (
    select
        case when later.outcome = 'paired' then 'gained' else 'lost' end as change,
        case
            when later.outcome = 'paired' then coalesce(earlier.reason, 'not_there')
            else coalesce(later.reason, 'not_there')
        end as reason,
    from earlier
    full join later on later.prompt_key = earlier.prompt_key
    where coalesce(earlier.outcome = 'paired', false) <> coalesce(later.outcome = 'paired', false)
)
select
    change,
    reason,
    count(*) as n_prompts,
from matched
group by change, reason
order by change, n_prompts desc, reason

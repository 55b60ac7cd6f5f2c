-- How has the build gone for its prompts?
-- params: $build_key ubigint: the build
-- rows:   one per outcome or reason, paired or selected first, then most frequent first
select
    case
        when outcome = 'paired' and (select max(n_pairs) from builds where build_key = $build_key) = 0 then 'selected'
        else coalesce(reason, outcome)
    end as outcome,
    count(*) as n_prompts,
from build_prompts
where build_key = $build_key
group by all
order by max(reason is null) desc, n_prompts desc, outcome

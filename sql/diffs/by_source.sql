-- How many pairs of each combination of sources have changed, and how?
-- params: none
-- rows:   one per change and combination, most frequent first
select
    change,
    chosen_source,
    rejected_source,
    count(*) as n_pairs,
from changes
group by all
order by change, n_pairs desc, chosen_source, rejected_source

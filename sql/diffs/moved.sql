-- How many of the pairs that both builds have stand in another split, and how many in another minibatch of the same?
-- params: none
-- rows:   one
select
    count(*) filter (where split_before <> split_after) as n_other_split,
    count(*) filter (where minibatch_before <> minibatch_after) as n_other_minibatch,
from changes
where split_before is not null and split_after is not null
order by n_other_split

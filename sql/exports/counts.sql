-- How many rows of the judged ones can be written, and why can the others not?
-- params: none
-- rows:   one per split and reason; the reason is null for the rows that can be written
select
    judged.split,
    judged.reason,
    count(*) as n_rows,
from judged
group by judged.split, judged.reason
order by judged.split, judged.reason nulls first

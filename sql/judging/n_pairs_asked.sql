-- How many pairs of the table pairs_asked are asked about?
-- params: none
-- rows:   one
select count(*) as n
from pairs_asked
where question is not null and not is_identical

-- How many questions are there in the table asked?
-- params: none
-- rows:   one
select count(*) as n
from asked

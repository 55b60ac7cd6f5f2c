-- In which order do a family's versions stand, as it was last stated?
-- params: $family varchar: the family
-- rows:   one, or none where nobody stated it
select
    versions,
    stated_by,
from version_orders
where family = $family
order by commit_seq desc, version_order_key
limit 1

-- Which sources does a name stand for: a label, or a name that a file used?
-- params: $name varchar: the name
-- rows:   one per source, by label
select label
from sources
where label = $name::varchar or source_key in (select source_key from source_names where name = $name::varchar)
order by label

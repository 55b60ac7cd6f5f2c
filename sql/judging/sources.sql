-- Which sources go by this name: their label, or a name that a file used?
-- params: $name varchar: the name
-- rows:   one per source, by key
select source_key
from sources
where
    label = $name
    or source_key in (select source_names.source_key from source_names where source_names.name = $name)
order by source_key

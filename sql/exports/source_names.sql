-- Under which names have files brought a source?
-- params: $source varchar: the source's label
-- rows:   one per name, by name; the name is null where files never named it
select distinct
    source_names.name,
from sources
left join source_names on source_names.source_key = sources.source_key
where sources.label = $source
order by source_names.name

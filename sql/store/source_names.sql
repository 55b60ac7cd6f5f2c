-- Which cell does each name of a model stand for?
-- params: none
-- rows:   one per name and model, by name
select
    source_names.name,
    sources.family,
    sources.version,
    sources.size_b,
from source_names
join sources on sources.source_key = source_names.source_key
where sources.kind = 'model'
order by source_names.name, sources.label

-- Has an export been recorded already?
-- params: $export ubigint: the export's key
-- rows:   one, or none
select
    exports.export_key,
from exports
where exports.export_key = $export
order by exports.export_key
limit 1

-- Which tables, views and macros does the store have, as what text?
-- params: none
-- rows:   one per object, by kind and name
select
    'table' as kind,
    table_name as name,
    sql as text,
from duckdb_tables()
where not internal and not temporary
union all
select
    'view',
    view_name,
    sql,
from duckdb_views()
where not internal and not temporary
union all
select
    'macro',
    function_name,
    parameters::varchar || ' ' || macro_definition,
from duckdb_functions()
where not internal and macro_definition is not null
order by kind, name

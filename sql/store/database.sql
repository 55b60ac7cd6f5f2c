-- What does DuckDB call the store's file?
-- params: none
-- rows:   one
select current_database() as name

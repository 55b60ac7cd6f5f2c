-- How many rows, with which xor of their keys, had each table that pairs are drawn from, at a commit?
-- params: $tables varchar[]: the tables
--         $commit_seq bigint: the last commit that counts
-- rows:   one per table that has rows, by name
select
    table_name,
    sum(n_rows)::bigint as n_rows,
    bit_xor(keys_xor) as keys_xor,
from commit_tables
where table_name in (select unnest($tables)) and commit_seq <= $commit_seq
group by table_name
order by table_name

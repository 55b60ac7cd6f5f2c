-- Into which spans of commits is a table cut, so that each has about as many rows?
-- params: $table varchar: the table
--         $first_seq bigint: the first commit to look at
--         $n_rows bigint: rows of one span, about; a commit is never cut
-- rows:   one per span, in order
select
    min(summed.commit_seq) as first_seq,
    max(summed.commit_seq) as last_seq,
from (
    select
        commit_seq,
        sum(n_rows) over (order by commit_seq) // $n_rows as span,
    from commit_tables
    where table_name = $table and commit_seq >= $first_seq
) as summed
group by summed.span
order by first_seq

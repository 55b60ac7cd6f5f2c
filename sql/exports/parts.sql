-- Into which runs of keys is a split cut, so that the texts of one run fit in memory?
-- params: $split varchar: train or held_out
--         $n_chars bigint: characters of text in one run, about
-- rows:   one per run, in the order of the keys; the runs do not overlap
select
    min(sized.run_key) as first_key,
    max(sized.run_key) as last_key,
from (
    select
        judged.run_key,
        -- the frame is the default one, by range: equal keys fall into the same run
        sum(judged.n_chars) over (order by judged.run_key) // $n_chars as run,
    from judged
    where judged.split = $split and judged.reason is null
) as sized
group by sized.run
order by first_key

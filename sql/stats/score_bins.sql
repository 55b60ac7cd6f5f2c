-- How many answers of each source have a score in each bin, from the lowest score to the highest?
-- params: $low double: where the first bin begins
--         $high double: where the last bin ends, inclusive
--         $n_bins integer: how many bins
-- rows:   one per source and bin that is not empty
select
    sources.label as source,
    least(
        floor((answer_scores.score - $low::double) / ($high::double - $low::double) * $n_bins::integer),
        $n_bins::integer - 1
    )::integer as bin,
    count(*) as n,
    fsum(answer_scores.score) as total,
from answer_scores
join sources on sources.source_key = answer_scores.source_key
group by sources.label, bin
order by source, bin

-- What are the scores and lengths of a build? Lengths in characters, rounded, so that threads do not decide the last digit.
-- params: $build_key ubigint: the build
-- rows:   one per figure, by name; n counts the pairs (answers, where the build has none) that have it
with entries as (
    select chosen_key, rejected_key, chosen_score, rejected_score from pairs where build_key = $build_key
    union all
    select response_key, null, score, null from build_responses where build_key = $build_key
),
measured as (
    select
        entries.chosen_score,
        entries.rejected_score,
        entries.chosen_score - entries.rejected_score as margin,
        chosen.n_chars::double as chosen_length,
        rejected.n_chars::double as rejected_length,
        (chosen.n_chars - rejected.n_chars)::double as length_difference,
    from entries
    join responses as chosen on chosen.response_key = entries.chosen_key
    left join responses as rejected on rejected.response_key = entries.rejected_key
)
select
    figure,
    count(*) as n,
    round(avg(value), 6) as mean,
    round(median(value), 6) as median,
from (unpivot measured on columns(*) into name figure value value)
group by figure
order by figure

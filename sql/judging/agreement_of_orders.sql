-- Do both orders of a pair give the same verdict? Where they do not, the pair is a tie.
-- params: $judge varchar: the judge
--         $rubrics ubigint[]: the rubrics
-- rows:   one
with verdicts as (
    select
        least(response_a_key, response_b_key) as one_key,
        greatest(response_a_key, response_b_key) as other_key,
        judgements.sample_index,
        preferences.rubric_key,
        case when response_a_key < response_b_key then preference else 1 - preference end as preference,
        response_a_key < response_b_key as is_first,
    from tso_preferences() as preferences
    join judgements on judgements.judgement_key = preferences.judgement_key
    where preferences.judge = $judge and list_contains($rubrics::ubigint[], preferences.rubric_key)
),
pairs_judged as (
    select
        one_key,
        other_key,
        sample_index,
        any_value(sign(preference - 0.5)) filter (where is_first) as one_order,
        any_value(sign(preference - 0.5)) filter (where not is_first) as other_order,
    from verdicts
    group by one_key, other_key, sample_index, rubric_key
)
select
    count(*) as n_pairs,
    count(*) filter (where one_order = other_order and one_order <> 0) as n_decided,
    count(*) filter (where one_order = other_order and one_order = 0) as n_ties,
    count(*) filter (where one_order <> other_order) as n_disagreements,
    count(*) filter (where one_order is null or other_order is null) as n_incomplete,
from pairs_judged

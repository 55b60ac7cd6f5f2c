-- Who wins how often where pairs were compared in both orders?
--
-- A win counts only where both orders agree on it; where they do not, the pair is a tie. A pair without both orders, or
-- without a verdict in one of them, is incomplete.
-- params: $judge varchar = null: only this judge
--         $rubric varchar = null: only this rubric
-- rows:   one per judge, rubric and two sources, by these
with verdicts as (
    select
        preferences.judge,
        preferences.rubric_key,
        judgements.sample_index,
        least(response_a_key, response_b_key) as one_key,
        greatest(response_a_key, response_b_key) as other_key,
        sign(if(response_a_key < response_b_key, preference, 1 - preference) - 0.5) as winner,
        response_a_key < response_b_key as is_first,
    from tso_preferences() as preferences
    join judgements on judgements.judgement_key = preferences.judgement_key
    where $judge::varchar is null or preferences.judge = $judge::varchar
),
both_orders as (
    select
        judge,
        rubric_key,
        one_key,
        other_key,
        any_value(winner) filter (where is_first) as one_order,
        any_value(winner) filter (where not is_first) as other_order,
    from verdicts
    group by judge, rubric_key, one_key, other_key, sample_index
),
answers as (
    select response_key, source_key from responses
    union
    select response_key, source_key from shown_responses
),
named as (
    select
        both_orders.judge,
        rubrics.name as rubric,
        least(one_source.label, other_source.label) as one_source,
        greatest(one_source.label, other_source.label) as other_source,
        if(one_source.label <= other_source.label, one_order, -one_order) as one_order,
        if(one_source.label <= other_source.label, other_order, -other_order) as other_order,
    from both_orders
    join rubrics on rubrics.rubric_key = both_orders.rubric_key
    join answers as one_answer on one_answer.response_key = both_orders.one_key
    join answers as other_answer on other_answer.response_key = both_orders.other_key
    join sources as one_source on one_source.source_key = one_answer.source_key
    join sources as other_source on other_source.source_key = other_answer.source_key
    where $rubric::varchar is null or rubrics.name = $rubric::varchar
)
select
    judge,
    rubric,
    one_source,
    other_source,
    count(*) as n_pairs,
    count(*) filter (where one_order = other_order and one_order > 0) as n_wins_of_one,
    count(*) filter (where one_order = other_order and one_order < 0) as n_wins_of_other,
    count(*) filter (where one_order = other_order and one_order = 0) as n_ties,
    count(*) filter (where one_order <> other_order) as n_disagreements,
    count(*) filter (where one_order is null or other_order is null) as n_incomplete,
from named
group by judge, rubric, one_source, other_source
order by judge, rubric, one_source, other_source

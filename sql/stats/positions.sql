-- Does a judge prefer what it is shown first, where it has seen two answers in both orders?
-- A verdict is a preference, or the higher of two scores given in one judgement; a tie is a half.
-- params: none
-- rows:   one per two answers and judge that has verdicts in both orders
with paired_scores as (
    select
        scores.judgement_key,
        favg(scores.value) filter (where scores.response_key = judgements.response_key) as first_score,
        favg(scores.value) filter (where scores.response_key = judgements.other_key) as second_score,
    from tso_scores() as scores
    join judgements on judgements.judgement_key = scores.judgement_key
    where judgements.other_key is not null
    group by scores.judgement_key
    having count(*) = count(scores.value)
),
verdicts as (
    select
        prompt_key,
        judge,
        rubric_key,
        response_a_key as first_key,
        response_b_key as second_key,
        preference as first_preferred,
    from tso_preferences() as preferences
    where preference is not null
    union all
    select
        judgements.prompt_key,
        judgements.judge,
        judgements.rubric_key,
        judgements.response_key,
        judgements.other_key,
        (sign(paired_scores.first_score - paired_scores.second_score) + 1) / 2,
    from paired_scores
    join judgements on judgements.judgement_key = paired_scores.judgement_key
    where paired_scores.first_score is not null and paired_scores.second_score is not null
),
orders as (
    select
        prompt_key,
        judge,
        rubric_key,
        first_key,
        second_key,
        favg(first_preferred) as first_preferred,
    from verdicts
    group by all
)
select
    one.judge as judge,
    rubrics.name as rubric,
    one.prompt_key,
    tso_id('p', one.prompt_key) as prompt_id,
    tso_id('r', one.first_key) as response_a,
    tso_id('r', one.second_key) as response_b,
    one.first_preferred as a_preferred_when_first,
    1 - other.first_preferred as a_preferred_when_second,
    (one.first_preferred + other.first_preferred) / 2 as first_preferred,
    (one.first_preferred - 0.5) * (other.first_preferred - 0.5) > 0 as is_turned_by_order,
from orders as one
join orders as other on
    other.prompt_key = one.prompt_key
    and other.judge = one.judge
    and other.rubric_key = one.rubric_key
    and other.first_key = one.second_key
    and other.second_key = one.first_key
join rubrics on rubrics.rubric_key = one.rubric_key
where one.first_key < one.second_key
order by judge, rubric, prompt_id, response_a, response_b

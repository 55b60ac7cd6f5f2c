-- Where do two judges prefer opposite answers out of the same two?
--
-- A judge that saw the two more than once counts with the mean; ties oppose nobody. Preferences are for response_a.
-- params: $judge_a varchar = null: only disagreements of this judge
--         $judge_b varchar = null: only disagreements with this judge
-- rows:   one per two answers, two judges and their rubrics, by prompt
with verdicts as (
    select
        prompt_key,
        least(response_a_key, response_b_key) as a_key,
        greatest(response_a_key, response_b_key) as b_key,
        judge,
        rubric_key,
        favg(if(response_a_key < response_b_key, preference, 1 - preference)) as preference,
    from tso_preferences() as preferences
    where preference is not null
    group by all
),
opposed as (
    select
        one.prompt_key,
        one.a_key,
        one.b_key,
        one.judge as judge_a,
        one.rubric_key as rubric_a_key,
        one.preference as preference_a,
        other.judge as judge_b,
        other.rubric_key as rubric_b_key,
        other.preference as preference_b,
    from verdicts as one
    join verdicts as other on
        other.a_key = one.a_key
        and other.b_key = one.b_key
        and other.prompt_key = one.prompt_key
        and other.judge > one.judge
    where
        (one.preference - 0.5) * (other.preference - 0.5) < 0
        and ($judge_a::varchar is null or $judge_a::varchar in (one.judge, other.judge))
        and ($judge_b::varchar is null or $judge_b::varchar in (one.judge, other.judge))
),
shown as (
    select a_key as response_key from opposed
    union
    select b_key from opposed
),
answers as (
    select response_key, source_key from responses semi join shown using (response_key)
    union
    select response_key, source_key from shown_responses semi join shown using (response_key)
)
select
    tso_id('p', opposed.prompt_key) as prompt_id,
    tso_id('r', opposed.a_key) as response_a,
    tso_id('r', opposed.b_key) as response_b,
    source_a.label as source_a,
    source_b.label as source_b,
    opposed.judge_a,
    rubric_a.name as rubric_a,
    opposed.preference_a,
    opposed.judge_b,
    rubric_b.name as rubric_b,
    opposed.preference_b,
from opposed
join answers as a on a.response_key = opposed.a_key
join answers as b on b.response_key = opposed.b_key
join sources as source_a on source_a.source_key = a.source_key
join sources as source_b on source_b.source_key = b.source_key
join rubrics as rubric_a on rubric_a.rubric_key = opposed.rubric_a_key
join rubrics as rubric_b on rubric_b.rubric_key = opposed.rubric_b_key
order by
    opposed.prompt_key,
    opposed.a_key,
    opposed.b_key,
    opposed.judge_a,
    opposed.judge_b,
    opposed.rubric_a_key,
    opposed.rubric_b_key

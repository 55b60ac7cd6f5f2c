-- How much of its comparisons does an answer win with a judge, and how much with another judge?
-- The other may have compared it with other answers.
-- params: $judges varchar[]: the judges; empty for all
--         $rubric varchar: the judge's rubric by name; null for all
--         $against varchar: the other judge; null for people
-- rows:   one per answer, judge and rubric, the farthest apart first
with sides as (
    select prompt_key, response_a_key as response_key, judge, judge_kind, rubric_key, preference as win
    from tso_preferences() as preferences
    where preference is not null
    union all
    select prompt_key, response_b_key, judge, judge_kind, rubric_key, 1 - preference
    from tso_preferences() as preferences
    where preference is not null
),
won as (
    select
        sides.prompt_key,
        sides.response_key,
        if(sides.judge_kind = 'human', 'people', sides.judge) as judge,
        sides.judge_kind,
        rubrics.name as rubric,
        favg(sides.win) as win,
    from sides
    join rubrics on rubrics.rubric_key = sides.rubric_key
    group by all
),
answers as (
    select response_key, source_key from responses semi join won using (response_key)
    union
    select response_key, source_key from shown_responses semi join won using (response_key)
)
select
    one.judge,
    one.rubric,
    other.judge as against,
    other.rubric as against_rubric,
    'wins' as dimension,
    sources.label as cell,
    one.prompt_key,
    tso_id('p', one.prompt_key) as prompt_id,
    tso_id('r', one.response_key) as response_id,
    one.win as score,
    other.win as other,
    one.win - other.win as difference,
    abs(one.win - other.win) as absolute_difference,
    1.0::double as share,
from won as one
join won as other on other.response_key = one.response_key
join answers on answers.response_key = one.response_key
join sources on sources.source_key = answers.source_key
where
    one.judge_kind = 'model'
    and (len($judges::varchar[]) = 0 or list_contains($judges::varchar[], one.judge))
    and ($rubric::varchar is null or one.rubric = $rubric::varchar)
    and if($against::varchar is null, other.judge_kind = 'human', other.judge = $against::varchar)
    and (other.judge, other.rubric) <> (one.judge, one.rubric)
order by absolute_difference desc, judge, rubric, against_rubric, response_id

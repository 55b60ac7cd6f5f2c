-- What do verdicts say of each two answers to a prompt, which one is preferred, and in which random order are they drawn?
-- The preference is the mean over verdicts, in whole millionths, so that neither their order nor a last bit decides. An
-- answer that only a judge's prompt shows is no material.
-- params: $snapshot_seq bigint: the last commit that the build sees
--         $sources ubigint[]: whose answers are compared
--         $judge varchar: whose verdicts count; null for everybody's
--         $rubric varchar: by which rubric; null for every one
--         $people_first boolean: whether only people's count on two answers that people have compared
--         $seed ubigint: the seed of the random order
-- rows:   one per two answers that are not empty and have a verdict; number is from 0 to 1
with verdicts as (
    select
        least(preferences.response_a_key, preferences.response_b_key) as one_key,
        greatest(preferences.response_a_key, preferences.response_b_key) as other_key,
        case
            when preferences.response_a_key < preferences.response_b_key
                then round(preferences.preference * 1000000)::bigint
            else 1000000 - round(preferences.preference * 1000000)::bigint
        end as millionths,
        preferences.judge_kind = 'human' as is_human,
    from tso_preferences_at($snapshot_seq) as preferences
    semi join (select prompt_key from eligible where reason is null) as open using (prompt_key)
    join rubrics on rubrics.rubric_key = preferences.rubric_key
    where
        preferences.preference is not null
        and ($judge::varchar is null or preferences.judge = $judge::varchar)
        and ($rubric::varchar is null or rubrics.name = $rubric::varchar)
),
counted as (
    select
        one_key,
        other_key,
        count(*) as n_verdicts,
        sum(millionths)::bigint as millionths,
    from (
        select
            verdicts.*,
            bool_or(is_human) over (partition by one_key, other_key) as people_have,
        from verdicts
    )
    where is_human or not (people_have and $people_first::boolean)
    group by one_key, other_key
),
material as (
    select
        responses.prompt_key,
        responses.response_key,
        responses.source_key,
        responses.text_key,
    from responses
    where
        responses.commit_seq <= $snapshot_seq
        and not responses.is_empty
        and list_contains($sources::ubigint[], responses.source_key)
)
select
    one.prompt_key,
    case when 2 * millionths >= n_verdicts * 1000000 then one_key else other_key end as chosen_key,
    case when 2 * millionths >= n_verdicts * 1000000 then other_key else one_key end as rejected_key,
    greatest(millionths, n_verdicts * 1000000 - millionths)::double / n_verdicts / 1000000 as preference,
    counted.n_verdicts,
    2 * millionths = n_verdicts * 1000000 as is_tied,
    one.text_key = other.text_key as is_identical,
    tso_u01(tso_hash64(xor(one_key, other_key), $seed::ubigint)) as number,
from counted
join material as one on one.response_key = counted.one_key
join material as other on other.response_key = counted.other_key and other.prompt_key = one.prompt_key
order by one.prompt_key, number, chosen_key, rejected_key

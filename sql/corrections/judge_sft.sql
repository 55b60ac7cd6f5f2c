-- Which answers have a score by people, or else by a stronger judge, that a judge can learn, and from whose words?
-- Of a judge's samples its words come from the one nearest to that score; of people's reasons from the nearest mark.
-- params: $judge varchar: the judge that is to learn
--         $rubric varchar: the rubric's name
--         $dimensions varchar[]: the dimensions; empty for all
--         $held_out double: the share of prompts to hold out
--         $split_seed ubigint: of the choice of prompts
--         $order_seed ubigint: of the order within a bin
--         $n_bins integer: how many bins of scores
-- rows:   one per answer, rubric and dimension, by chance
with given as (
    select
        tso_key('r', response_id) as response_key,
        tso_key('rub', rubric_id) as rubric_key,
        min(tso_key('p', prompt_id)) as prompt_key,
        min(source) as cell,
        dimension,
        rater_kind,
        sum(round(mark * 1000000)::bigint)::double / count(*) / 1000000 as score,
        list({'mark': mark, 'rater': rater, 'reason': reason}) as marks,
    from v_marks
    where
        rubric = $rubric::varchar
        and rater <> $judge::varchar
        and (is_correction or rater_kind = 'human')
        and (len($dimensions::varchar[]) = 0 or list_contains($dimensions::varchar[], dimension))
    group by response_id, rubric_id, dimension, rater_kind
    qualify row_number() over (partition by response_id, rubric_id, dimension order by rater_kind) = 1
),
samples as (
    select
        given.response_key,
        given.rubric_key,
        given.dimension,
        arg_min(
            {'value': scores.value, 'raw': judgements.raw},
            {'far': abs(scores.value - given.score), 'sample_index': scores.sample_index, 'score_key': scores.score_key}
        ) as nearest,
    from given
    join tso_scores() as scores using (response_key, rubric_key, dimension)
    left join judgements on judgements.judgement_key = scores.judgement_key
    where scores.judge = $judge::varchar and scores.value is not null
    group by given.response_key, given.rubric_key, given.dimension
)
select
    given.response_key,
    given.prompt_key,
    given.rubric_key,
    given.dimension,
    given.cell,
    given.rater_kind as scored_by,
    given.score,
    list_sort(
        list_transform(
            list_filter(given.marks, lambda said: trim(coalesce(said.reason, '')) <> ''),
            lambda said: {'far': abs(said.mark - given.score), 'rater': said.rater, 'reason': said.reason}
        )
    )[1].reason as reason,
    samples.nearest.value as judge_score,
    samples.nearest.raw as judge_words,
    tso_u01(tso_hash64(given.prompt_key, $split_seed::ubigint)) < $held_out as is_held_out,
    greatest(
        least(
            floor((given.score - rubrics.scale_min) / nullif(rubrics.scale_max - rubrics.scale_min, 0) * $n_bins),
            $n_bins - 1
        ),
        0
    )::integer as bin,
    rubrics.scale_min,
    rubrics.scale_max,
    rubrics.template,
from given
join rubrics on rubrics.rubric_key = given.rubric_key
left join samples on
    samples.response_key = given.response_key
    and samples.rubric_key = given.rubric_key
    and samples.dimension = given.dimension
order by
    tso_hash64(
        xor(given.response_key, ('0x' || left(sha256(given.dimension), 16))::ubigint),
        $order_seed::ubigint
    ),
    given.response_key,
    given.rubric_key,
    given.dimension

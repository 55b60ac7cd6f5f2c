-- Which answers that a judge has scored are people asked about, those first on which judges are least sure?
-- How unsure is `spread`: the standard deviation of the judge's samples, or half the range of all judges' means by the
-- same rubric, whichever is larger. Bins cut the scale (where there is none, the range of the scores) evenly; each gives
-- its first answer before any gives its second.
-- params: $judge varchar: the judge
--         $rubric varchar: the rubric's name
--         $dimensions varchar[]: the dimensions; empty for all
--         $build varchar: only answers of this build; null for all
--         $cells varchar[]: only answers of these sources, by label; empty for all
--         $n_bins integer: how many bins
--         $again boolean: also what people have corrected already
--         $at_random boolean: within a bin by chance alone
--         $seed ubigint: of the order where nothing else decides
--         $n bigint: how many; null for all
-- rows:   one per answer and dimension, in the order in which they are to be looked at
with means as (
    select
        scores.response_key,
        scores.rubric_key,
        scores.dimension,
        scores.judge,
        min(scores.prompt_key) as prompt_key,
        min(scores.source_key) as source_key,
        sum(round(scores.value * 1000000)::bigint)::double / count(*) / 1000000 as mean,
        stddev_samp(scores.value) as sd,
        arg_min(scores.judgement_key, {'sample_index': scores.sample_index, 'score_key': scores.score_key})
            as judgement_key,
    from tso_scores() as scores
    join rubrics on rubrics.rubric_key = scores.rubric_key
    where
        scores.value is not null
        and rubrics.name = $rubric::varchar
        and (len($dimensions::varchar[]) = 0 or list_contains($dimensions::varchar[], scores.dimension))
    group by scores.response_key, scores.rubric_key, scores.dimension, scores.judge
),
ranges as (
    select
        response_key,
        rubric_key,
        dimension,
        (max(mean) - min(mean)) / 2 as half_range,
    from means
    group by response_key, rubric_key, dimension
),
in_build as (
    select chosen_key as response_key from pairs where build_key = tso_build($build::varchar)
    union
    select rejected_key from pairs where build_key = tso_build($build::varchar)
    union
    select response_key from build_responses where build_key = tso_build($build::varchar)
),
corrected as (
    select distinct response_key, rubric_key, dimension from corrections where author_kind = 'human'
),
texts as (
    select response_key, text, text_key from responses semi join means using (response_key)
    union
    select response_key, text, text_key from shown_responses semi join means using (response_key)
),
asked as (
    select
        means.*,
        greatest(coalesce(means.sd, 0), ranges.half_range) as spread,
        coalesce(rubrics.scale_min, min(means.mean) over ()) as lowest,
        coalesce(rubrics.scale_max, max(means.mean) over ()) as highest,
    from means
    join ranges using (response_key, rubric_key, dimension)
    join rubrics on rubrics.rubric_key = means.rubric_key
    join sources on sources.source_key = means.source_key
    anti join corrected on
        not $again::boolean
        and corrected.response_key = means.response_key
        and corrected.rubric_key = means.rubric_key
        and corrected.dimension = means.dimension
    where
        means.judge = $judge::varchar
        and ($build::varchar is null or means.response_key in (select response_key from in_build))
        and (len($cells::varchar[]) = 0 or list_contains($cells::varchar[], sources.label))
),
binned as (
    select
        *,
        least(floor((mean - lowest) / nullif(highest - lowest, 0) * $n_bins), $n_bins - 1)::integer as bin,
        tso_hash64(xor(response_key, ('0x' || left(sha256(dimension), 16))::ubigint), $seed::ubigint) as chance,
    from asked
),
placed as (
    select
        *,
        row_number() over (
            partition by bin
            order by if($at_random::boolean, 0, spread) desc, chance, response_key, dimension
        ) as place,
    from binned
)
select
    tso_id('r', placed.response_key) as response_id,
    tso_id('t', texts.text_key) as text_id,
    tso_id('rub', placed.rubric_key) as rubric_id,
    rubrics.name as rubric,
    rubrics.scale_min,
    rubrics.scale_max,
    placed.dimension,
    prompts.text as prompt,
    texts.text as answer,
    placed.judge,
    placed.mean as judge_score,
    placed.sd as judge_sd,
    judgements.raw as judge_words,
from placed
join texts on texts.response_key = placed.response_key
join prompts on prompts.prompt_key = placed.prompt_key
join rubrics on rubrics.rubric_key = placed.rubric_key
left join judgements on judgements.judgement_key = placed.judgement_key
order by placed.place, placed.bin, placed.chance, placed.response_key, placed.dimension
limit $n::bigint

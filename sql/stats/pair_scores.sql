-- How far apart are the scores of each pair, against the judge's own noise, the prompt's scores and the scale?
-- The noise is the pooled standard deviation of one answer's scores over repeated judgements; it is nothing where no
-- answer was judged twice. The rejected score's position is in standard deviations of the scores on its prompt.
-- params: $build varchar: the build's name
--         $judge varchar: the judge whose scores the build used
--         $rubric varchar: its rubric
-- rows:   one per pair of the build
with chosen_rubrics as (
    select rubric_key, scale_min, scale_max from rubrics where name = $rubric::varchar
),
repeated as (
    select
        count(*) - 1 as dof,
        var_samp(value) as variance,
    from tso_scores() as scores
    semi join chosen_rubrics using (rubric_key)
    where judge = $judge::varchar and value is not null
    group by response_key, dimension
    having count(*) > 1
),
noise as (
    select sqrt(fsum(dof * variance) / sum(dof)) as sd from repeated
),
scales as (
    select min(scale_min) as low, max(scale_max) as high from chosen_rubrics
),
spread as (
    select
        prompt_key,
        favg(score) as mean,
        nullif(stddev_samp(score), 0) as sd,
    from answer_scores
    group by prompt_key
)
select
    pairs.pool,
    pairs.prompt_key,
    tso_id('p', pairs.prompt_key) as prompt_id,
    tso_id('pair', pairs.pair_key) as pair_id,
    pairs.chosen_score,
    pairs.rejected_score,
    pairs.chosen_score - pairs.rejected_score as margin,
    pairs.chosen_score is null or pairs.rejected_score is null as is_unscored,
    pairs.chosen_score < pairs.rejected_score as is_negative,
    (pairs.chosen_score - pairs.rejected_score) / nullif(noise.sd, 0) as margin_in_noise,
    pairs.chosen_score - pairs.rejected_score < noise.sd as is_under_1_noise,
    pairs.chosen_score - pairs.rejected_score < 2 * noise.sd as is_under_2_noise,
    (pairs.rejected_score - spread.mean) / spread.sd as rejected_position,
    (pairs.chosen_score - scales.low) / nullif(scales.high - scales.low, 0) as chosen_on_scale,
    (pairs.rejected_score - scales.low) / nullif(scales.high - scales.low, 0) as rejected_on_scale,
from pairs
join (select build_key from builds where name = $build::varchar) as asked on asked.build_key = pairs.build_key
cross join noise
cross join scales
left join spread on spread.prompt_key = pairs.prompt_key
order by prompt_id, pair_id

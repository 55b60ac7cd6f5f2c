-- Which shape have the scores of each prompt: mean, spread, skewness G1 and excess kurtosis G2 (App. A.1)?
-- G1 and G2 are the bias-corrected estimates. They are nothing for fewer than three and four scores, and where all
-- scores are equal. Both are rounded, so that the last bits of an even spread, which go by the order of the rows, decide
-- no sign. What lies within 1 of the origin of the map is near it.
-- params: none
-- rows:   one per prompt with a score
with shapes as (
    select
        prompt_key,
        count(*) as n_scores,
        favg(score) as mean,
        stddev_samp(score) as sd,
        round(skewness(score), 9) as g1,
        round(kurtosis(score), 9) as g2,
        min(score) = max(score) as is_constant,
    from answer_scores
    group by prompt_key
)
select
    prompt_key,
    tso_id('p', prompt_key) as prompt_id,
    n_scores,
    mean,
    sd,
    g1,
    g2,
    n_scores < 4 as has_too_few,
    if(n_scores < 4, null, is_constant) as is_constant,
    g1 < 0 as has_negative_g1,
    g2 < 0 as has_negative_g2,
    if(g2 is null, null, g1 < 0 and g2 < 0) as in_quadrant_g1_neg_g2_neg,
    if(g2 is null, null, g1 < 0 and g2 >= 0) as in_quadrant_g1_neg_g2_pos,
    if(g2 is null, null, g1 >= 0 and g2 < 0) as in_quadrant_g1_pos_g2_neg,
    if(g2 is null, null, g1 >= 0 and g2 >= 0) as in_quadrant_g1_pos_g2_pos,
    if(g1 * g1 + g2 * g2 < 1, mean, null) as mean_near_origin,
    if(g1 * g1 + g2 * g2 >= 1, mean, null) as mean_off_origin,
from shapes
order by prompt_id

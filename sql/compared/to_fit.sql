-- On which answers is a calibration fitted, and on which is it tried, both chosen by prompt?
-- params: $share double: of the prompts to fit on
--         $seed ubigint: of their choice
-- rows:   one per answer and dimension, by dimension and score
select
    dimension,
    score,
    other,
    prompt_id,
    tso_u01(tso_hash64(prompt_key, $seed::ubigint)) < $share as is_to_fit,
from compared
order by dimension, score, other, response_id

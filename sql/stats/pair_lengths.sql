-- How much longer is the chosen answer of each pair than the rejected one?
-- params: $build varchar: the build's name
-- rows:   one per pair of the build
select
    pairs.pool,
    pairs.prompt_key,
    tso_id('p', pairs.prompt_key) as prompt_id,
    tso_id('pair', pairs.pair_key) as pair_id,
    chosen.n_chars as chosen_chars,
    rejected.n_chars as rejected_chars,
    chosen.n_chars - rejected.n_chars as difference,
    ln(chosen.n_chars::double / rejected.n_chars) as log_ratio,
    if(chosen.n_chars = rejected.n_chars, null, chosen.n_chars > rejected.n_chars) as is_longer_chosen,
from pairs
join (select build_key from builds where name = $build::varchar) as asked on asked.build_key = pairs.build_key
join responses as chosen on chosen.response_key = pairs.chosen_key
join responses as rejected on rejected.response_key = pairs.rejected_key
order by prompt_id, pair_id

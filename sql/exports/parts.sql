-- Into which runs of pair keys is a split cut, so that the texts of one run fit in memory?
-- params: $build ubigint: the build's key
--         $split varchar: train or held_out
--         $minibatch integer = null: only this minibatch
--         $n_chars bigint: characters of text in one run, about
-- rows:   one per run, in the order of the keys; the runs do not overlap
select
    min(sized.pair_key) as first_key,
    max(sized.pair_key) as last_key,
from (
    select
        pairs.pair_key,
        -- the frame is the default one, by range: equal keys fall into the same run
        sum(length(prompts.text) + chosen.n_chars + rejected.n_chars) over (order by pairs.pair_key) // $n_chars
            as run,
    from pairs
    join prompts on prompts.prompt_key = pairs.prompt_key
    join responses as chosen on chosen.response_key = pairs.chosen_key
    join responses as rejected on rejected.response_key = pairs.rejected_key
    where
        pairs.build_key = $build
        and pairs.split = $split
        and ($minibatch::integer is null or pairs.minibatch = $minibatch::integer)
) as sized
group by sized.run
order by first_key

-- Which pairs have the same text on both sides, blanks at the edges aside, or an empty side?
-- fault:  ties give chosen = rejected (distilabel, OpenRLHF's old processor, SimPO), which trains towards nothing
-- level:  violation
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per pair, by build
select
    tso_id('pair', pairs.pair_key) as id,
    tso_id('bld', pairs.build_key) as build_id,
    case
        when chosen.text_key = rejected.text_key then 'equal texts'
        when chosen.is_empty then 'chosen is empty'
        else 'rejected is empty'
    end as problem,
from pairs
join responses as chosen on chosen.response_key = pairs.chosen_key
join responses as rejected on rejected.response_key = pairs.rejected_key
where
    pairs.commit_seq >= $first_seq
    and (chosen.text_key = rejected.text_key or chosen.is_empty or rejected.is_empty)
order by pairs.build_key, pairs.pair_key, pairs.prompt_key

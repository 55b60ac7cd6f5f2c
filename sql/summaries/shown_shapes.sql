-- Where do prompts lie on the map of G1 and G2, at most so many of them, by the order of their ids?
-- params: $n_most bigint: how many prompts at most
-- rows:   one per prompt that has both
select
    g1,
    g2,
    mean,
from listed
where g1 is not null and g2 is not null
order by prompt_key, g1, g2
limit $n_most::bigint

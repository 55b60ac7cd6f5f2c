-- What are the listed values, at most so many of them, by the order of their prompts' ids?
-- params: $n_most bigint: how many rows at most
-- rows:   one per listed row
select value
from listed
order by prompt_key, value
limit $n_most::bigint

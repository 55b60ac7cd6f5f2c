-- Which recipes are there, with which content?
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per recipe, by key
select
    recipes.recipe_key,
    recipes.body,
from recipes
where recipes.commit_seq >= $first_seq
order by recipes.recipe_key

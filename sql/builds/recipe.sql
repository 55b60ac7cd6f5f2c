-- Is this recipe stored?
-- params: $recipe_key ubigint: the recipe
-- rows:   one, or none
select
    recipe_key,
    body,
from recipes
where recipe_key = $recipe_key
order by recipe_key

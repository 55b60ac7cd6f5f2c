-- Which prompt alone is to be drawn for again?
-- params: $prompt_key ubigint: the prompt
-- rows:   one
select
    $prompt_key::ubigint as prompt_key,
    null::varchar as reason,
order by prompt_key

-- Which prompts, and whose answers, share 13 words in a row with a file's texts?
-- Case and punctuation do not count; a Chinese or Japanese character is a word. A text of fewer than 13 words counts
-- where it is the same as a whole.
-- params: $texts varchar[]: the file's texts
-- rows:   one per prompt
with wanted as (
    select distinct
        unnest(
            if(
                len(words) < 13,
                [array_to_string(words, ' ')],
                [array_to_string(words[i:i + 12], ' ') for i in range(1, len(words) - 11)]
            )
        ) as gram,
    from (
        select regexp_extract_all(lower(text), '[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{N}]+') as words
        from (select unnest($texts::varchar[]) as text)
    )
    where len(words) > 0
),
texts as (
    select prompt_key, true as is_prompt, text from prompts
    union all
    select prompt_key, false, text from responses where not is_empty
),
worded as (
    select
        prompt_key,
        is_prompt,
        regexp_extract_all(lower(text), '[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{N}]+') as words,
    from texts
),
grams as (
    select
        prompt_key,
        is_prompt,
        unnest(
            if(
                len(words) < 13,
                [array_to_string(words, ' ')],
                [array_to_string(words[i:i + 12], ' ') for i in range(1, len(words) - 11)]
            )
        ) as gram,
    from worded
),
found as (
    select
        prompt_key,
        bool_or(is_prompt) as in_prompt,
        bool_or(not is_prompt) as in_answers,
    from grams
    semi join wanted on wanted.gram = grams.gram
    group by prompt_key
)
select
    tso_id('p', prompts.prompt_key) as prompt_id,
    coalesce(found.in_prompt, false) as in_prompt,
    coalesce(found.in_answers, false) as in_answers,
from prompts
left join found on found.prompt_key = prompts.prompt_key
order by prompt_id

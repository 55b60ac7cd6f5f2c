-- Which prompts have the words of another prompt, but for case and blanks?
-- params: none
-- rows:   one per prompt
with worded as (
    select
        prompt_key,
        md5(regexp_replace(lower(trim(text)), '\s+', ' ', 'g')) as words,
    from prompts
),
several as (
    select words from worded group by words having count(*) > 1
)
select
    worded.prompt_key,
    tso_id('p', worded.prompt_key) as prompt_id,
    several.words is not null as is_duplicate,
from worded
left join several on several.words = worded.words
order by prompt_id

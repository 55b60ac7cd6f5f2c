-- Which questions of a rubric fit which answers of the table answers_to_judge? Of the questions of a slot the first that fits.
-- params: $slots varchar[]: the slot of each question, such as its dimension
--         $turns integer[]: the turns of the conversations it is for; 0 for any
--         $with_reference boolean[]: whether it shows a reference
--         $tags varchar[]: the tags of the prompts it is for, one a line; empty for all
--         $show_references boolean: whether questions with a reference are asked at all
-- rows:   one per answer and slot; questions are counted from 1
with questions as (
    select
        slot.place as question,
        slot.name as slot,
        ($turns::integer[])[slot.place] as n_turns,
        ($with_reference::boolean[])[slot.place] as with_reference,
        ($tags::varchar[])[slot.place] as tags,
    from (select unnest($slots::varchar[]) as name, generate_subscripts($slots::varchar[], 1) as place) as slot
),
tagged as (
    select prompt_key, list_distinct(flatten(list(tags))) as tags
    from prompt_origins
    where len(list_filter($tags::varchar[], lambda of_one: of_one <> '')) > 0
    group by prompt_key
)
select
    answers_to_judge.response_key,
    min(questions.question) as question,
from answers_to_judge
left join tagged on tagged.prompt_key = answers_to_judge.prompt_key
join questions on
    (questions.n_turns = 0 or questions.n_turns = answers_to_judge.n_turns)
    and (not questions.with_reference or (answers_to_judge.has_reference and $show_references::boolean))
    and (questions.tags = '' or list_has_any(coalesce(tagged.tags, []), string_split(questions.tags, chr(10))))
where not answers_to_judge.is_empty
group by answers_to_judge.response_key, questions.slot
order by answers_to_judge.response_key, question

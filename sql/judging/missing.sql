-- Which judgements of the questions in the table asked has the judge not given yet?
-- params: $judge varchar: the judge
--         $rubrics ubigint[]: the rubric's key of each question
--         $n_samples integer: judgements of each answer and question
-- rows:   one per answer, question and sample, what is asked alike together, and what was given up last
-- asked for last, so that a run that goes on makes up its calls as one that was never stopped
with refused as (
    select distinct response_key from calls where task = 'judge' and failure in ('too_long', 'bad_request')
)
select
    answers_to_judge.response_key,
    null::ubigint as other_key,
    answers_to_judge.prompt_key,
    asked.question,
    samples.sample_index::integer as sample_index,
from asked
join answers_to_judge on answers_to_judge.response_key = asked.response_key
cross join range($n_samples::integer) as samples(sample_index)
anti join (
    select response_key, rubric_key, sample_index from judgements where judge = $judge and other_key is null
) as given
    on given.response_key = asked.response_key
    and given.rubric_key = ($rubrics::ubigint[])[asked.question]
    and given.sample_index = samples.sample_index
left join refused on refused.response_key = answers_to_judge.response_key
order by
    refused.response_key is not null,
    answers_to_judge.prompt_key,
    asked.question,
    answers_to_judge.text_key,
    samples.sample_index,
    answers_to_judge.response_key

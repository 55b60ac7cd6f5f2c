-- Which prompts give answers to tune on, or a list, and why not the others?
-- params: $pool varchar: the pool's name
--         $n_least integer: how many answers a prompt has to give
-- rows:   one per eligible prompt
with counted as (
    select
        prompt_key,
        sum(n_answers) as n_answers,
        count(*) as n_texts,
        count(value) as n_scored,
    from candidates
    group by prompt_key
),
given as (
    select
        prompt_key,
        count(*) as n_listed,
        bool_or(cut_in_tie) as cut_in_tie,
    from listed
    where pool = $pool
    group by prompt_key
)
select
    $pool::varchar as pool,
    open.prompt_key,
    1 as round,
    case
        when counted.prompt_key is null then 'no_answers'
        when counted.n_answers < $n_least then 'one_answer'
        when counted.n_texts < $n_least then 'identical'
        when counted.n_scored < $n_least then 'unscored'
        when given.n_listed is null then 'min_score'
        when given.cut_in_tie or given.n_listed < $n_least then 'tie'
    end as reason,
from eligible as open
left join counted on counted.prompt_key = open.prompt_key
left join given on given.prompt_key = open.prompt_key
where open.reason is null
order by open.prompt_key

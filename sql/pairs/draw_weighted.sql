-- Which chosen and which rejected answer does the weighted draw give to each prompt (Eqs. 3-6)?
-- A race: each answer arrives at -ln(u)/w, with u from its own content key and the stream's seed, and the first one is
-- drawn. A source's weight is shared by its answers to the prompt, and sources without an answer drop out by themselves.
-- All prompts are drawn at once as if each source had answered once; where one has answered more often, which its role's
-- bit tells, the prompt is drawn again. (More than 63 roles share bits: then some are drawn again without need.)
-- params: $pool varchar: the pool's name
--         $snapshot_seq bigint: the last commit that the build sees
--         $sides varchar[]: 'chosen' or 'rejected', one for each source, side and round
--         $sources ubigint[]: its source
--         $weights double[]: its weight
--         $rounds integer[]: its round
--         $seeds ubigint[]: the seed of its side and round
-- rows:   one per eligible prompt and round
with roles as (
    select
        unnest($sides::varchar[]) = 'chosen' as is_chosen,
        unnest($sources::ubigint[]) as source_key,
        unnest($weights::double[]) as weight,
        unnest($rounds::integer[]) as round,
        unnest($seeds::ubigint[]) as seed,
        1::ubigint << (generate_subscripts($sides::varchar[], 1) % 63) as bit,
),
answers as not materialized (
    select
        responses.prompt_key,
        responses.response_key,
        responses.source_key,
    from responses
    anti join (select response_key from set_aside where pool = $pool) as aside using (response_key)
    where responses.commit_seq <= $snapshot_seq and not responses.is_empty
),
raced as (
    select
        answers.prompt_key,
        answers.response_key,
        roles.round,
        roles.is_chosen,
        roles.bit,
        tso_race(answers.response_key, roles.seed, roles.weight) as arrival,
    from answers
    join roles on roles.source_key = answers.source_key
),
at_once as (
    select
        prompt_key,
        round,
        arg_min(response_key, arrival) filter (where is_chosen) as chosen_key,
        arg_min(response_key, arrival) filter (where not is_chosen) as rejected_key,
        count(*) > bit_count(bit_or(bit)) as is_crowded,
    from raced
    group by prompt_key, round
),
crowd as (
    select
        answers.prompt_key,
        answers.response_key,
        answers.source_key,
        count(*) over (partition by answers.prompt_key, answers.source_key) as n_answers,
    from answers
    semi join (select source_key from roles) as drawn_from using (source_key)
    semi join (select prompt_key from at_once where is_crowded) as crowded using (prompt_key)
),
drawn as (
    select prompt_key, round, chosen_key, rejected_key from at_once where not is_crowded
    union all
    select
        crowd.prompt_key,
        roles.round,
        arg_min(crowd.response_key, tso_race(crowd.response_key, roles.seed, roles.weight / crowd.n_answers))
            filter (where roles.is_chosen) as chosen_key,
        arg_min(crowd.response_key, tso_race(crowd.response_key, roles.seed, roles.weight / crowd.n_answers))
            filter (where not roles.is_chosen) as rejected_key,
    from crowd
    join roles on roles.source_key = crowd.source_key
    group by crowd.prompt_key, roles.round
)
select
    $pool::varchar as pool,
    open.prompt_key,
    coalesce(drawn.round, 1) as round,
    drawn.chosen_key,
    drawn.rejected_key,
    case
        when drawn.prompt_key is null then 'no_answers'
        when drawn.chosen_key is null then 'no_chosen'
        when drawn.rejected_key is null then 'no_rejected'
    end as reason,
from eligible as open
left join drawn on drawn.prompt_key = open.prompt_key
where open.reason is null
order by open.prompt_key, round

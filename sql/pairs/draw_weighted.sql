-- Which chosen and which rejected answer does the weighted draw give to each prompt (Eqs. 3-6)?
-- A race: each answer arrives at -ln(u)/w, with u from its own content key and the stream's seed, and the first one is
-- drawn. A source's weight is shared by its answers to the prompt, and sources without an answer drop out by themselves.
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
        unnest($sides::varchar[]) as side,
        unnest($sources::ubigint[]) as source_key,
        unnest($weights::double[]) as weight,
        unnest($rounds::integer[]) as round,
        unnest($seeds::ubigint[]) as seed,
),
answers as (
    select
        responses.prompt_key,
        responses.response_key,
        responses.source_key,
    from responses
    semi join (select prompt_key from eligible where reason is null) as open using (prompt_key)
    where
        responses.commit_seq <= $snapshot_seq
        and not responses.is_empty
        and responses.source_key in (select source_key from roles)
),
several as (
    select
        prompt_key,
        source_key,
        count(*) as n_answers,
    from answers
    group by prompt_key, source_key
    having count(*) > 1
),
raced as (
    select
        answers.prompt_key,
        answers.response_key,
        roles.side,
        roles.round,
        tso_race(answers.response_key, roles.seed, roles.weight / coalesce(several.n_answers, 1)) as arrival,
    from answers
    join roles on roles.source_key = answers.source_key
    left join several on several.prompt_key = answers.prompt_key and several.source_key = answers.source_key
),
drawn as (
    select
        prompt_key,
        round,
        arg_min(response_key, arrival) filter (where side = 'chosen') as chosen_key,
        arg_min(response_key, arrival) filter (where side = 'rejected') as rejected_key,
    from raced
    group by prompt_key, round
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

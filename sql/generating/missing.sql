-- Which draws of a cell's answers are missing, or older than the policy that stands in the cell now?
-- params: $source ubigint: the cell's key
--         $dataset varchar: the data set; null for all
--         $build ubigint: the build of whose prompts these are; null for all
--         $minibatch integer: and the minibatch of it
--         $n_samples integer: draws of each prompt
--         $shard integer: which part of the prompts, counted from 0; a dialogue's turns are in one part
--         $n_shards integer: how many parts there are
-- rows:   one per draw, prompts with fewer open turns first, those that begin alike together, what was given up last
with registered as (
    select coalesce(max(commit_seq), 0) as commit_seq
    from artefacts
    where kind = 'policy' and source_key = $source
),
-- the same words may come again after a policy was registered: then the call tells that they are new
given as (
    select
        responses.prompt_key,
        responses.sample_index,
        max(greatest(responses.commit_seq, coalesce(calls.commit_seq, 0))) as commit_seq,
    from responses
    left join calls
        on calls.response_key = responses.response_key and calls.task = 'generate' and calls.failure is null
    where responses.source_key = $source
    group by all
),
within as (
    select prompt_key from pairs where build_key = $build::ubigint and minibatch = $minibatch::integer
    union
    select prompt_key from build_responses where build_key = $build::ubigint and minibatch = $minibatch::integer
),
asked as (
    select
        prompts.prompt_key,
        prompts.text,
        len(list_filter(prompts.messages, lambda message: message.content is null))::integer as n_open,
        list_filter(prompts.messages, lambda message: message.role = 'user')[1].content as opening,
    from prompts
    where
        (
            $dataset::varchar is null
            or prompts.prompt_key in (select prompt_key from prompt_origins where dataset = $dataset::varchar)
        )
        and ($build::ubigint is null or prompts.prompt_key in (select prompt_key from within))
),
-- asked for last, so that a run that goes on makes up its calls as one that was never stopped
refused as (
    select distinct prompt_key from calls where task = 'generate' and failure in ('too_long', 'bad_request')
)
select
    asked.prompt_key,
    samples.sample_index::integer as sample_index,
    asked.n_open,
    length(asked.text) as n_chars,
    given.commit_seq is not null as is_stale,
from asked
cross join range($n_samples::integer) as samples(sample_index)
cross join registered
left join given on given.prompt_key = asked.prompt_key and given.sample_index = samples.sample_index
left join refused on refused.prompt_key = asked.prompt_key
where
    (given.commit_seq is null or given.commit_seq < registered.commit_seq)
    and ('0x' || left(md5(asked.opening), 8))::bigint % $n_shards::integer = $shard::integer
order by asked.n_open, refused.prompt_key is not null, asked.text, asked.prompt_key, samples.sample_index

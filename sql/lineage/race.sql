-- Who ran for one side of a weighted pair, with which weight, and when did each answer arrive? The first was drawn.
-- params: $pool varchar: the pool
--         $prompt_key ubigint: the prompt
--         $snapshot_seq bigint: the last commit that the build saw
--         $labels varchar[]: the sources of the side
--         $weights double[]: their weights
--         $seed ubigint: the seed of the side and round
-- rows:   one per answer, first to arrive first
with roles as (
    select
        unnest($labels::varchar[]) as label,
        unnest($weights::double[]) as weight,
)
select
    sources.label as source,
    tso_id('r', responses.response_key) as response_id,
    roles.weight / count(*) over (partition by responses.source_key) as weight,
    tso_race(
        responses.response_key,
        $seed::ubigint,
        roles.weight / count(*) over (partition by responses.source_key)
    ) as arrival,
from responses
anti join (select response_key from set_aside where pool = $pool) as aside using (response_key)
join sources on sources.source_key = responses.source_key
join roles on roles.label = sources.label
where
    responses.prompt_key = $prompt_key
    and responses.commit_seq <= $snapshot_seq
    and not responses.is_empty
order by arrival, response_id

-- Which answers compete for a pool's places, and what are their scores?
-- Those of a prompt with the same text can compete as one, the best scored of them, so that no text meets itself.
-- params: $pool varchar: the pool's name
--         $snapshot_seq bigint: the last commit that the build sees
--         $sources ubigint[]: who competes
--         $as_texts boolean: whether answers with the same text compete as one
-- rows:   one per answer, or prompt and text, that is not empty; value null where it has no score
select
    responses.prompt_key,
    arg_max(
        responses.response_key,
        {'value': coalesce(scored.value, '-infinity'::double), 'response_key': responses.response_key}
    ) as response_key,
    max(scored.value) as value,
    count(*) as n_answers,
from responses
semi join (select prompt_key from eligible where reason is null) as open using (prompt_key)
anti join (select response_key from set_aside where pool = $pool) as aside using (response_key)
left join scored on scored.response_key = responses.response_key
where
    responses.commit_seq <= $snapshot_seq
    and not responses.is_empty
    and list_contains($sources::ubigint[], responses.source_key)
group by responses.prompt_key, case when $as_texts::boolean then responses.text_key else responses.response_key end
order by response_key

-- Where does a pair come from: which sources, runs and files, and what did which judge say of the two answers?
-- params: $pair varchar: the pair's id
-- rows:   one per build, side and verdict, down to the judge's raw words
select
    build,
    pair_id,
    prompt_id,
    side,
    response_id,
    source_kind,
    source,
    family,
    version,
    size,
    made_by,
    run_id,
    file,
    verdict,
    judge,
    judge_kind,
    rubric,
    dimension,
    value,
    reason,
    raw,
from v_lineage
where pair_id = tso_id('pair', tso_key('pair', $pair::varchar))
order by build, side, verdict, judge, rubric, dimension, value, raw

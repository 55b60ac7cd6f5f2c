-- How often was each source asked for, to be expected, and drawn?
-- params: $build_key ubigint: the build
-- rows:   one per pool, side and source, largest first
select
    build_shares.pool,
    build_shares.side,
    sources.label as source,
    build_shares.requested,
    build_shares.expected,
    build_shares.realised,
from build_shares
join sources on sources.source_key = build_shares.source_key
where build_shares.build_key = $build_key
order by
    build_shares.pool,
    build_shares.side,
    build_shares.requested desc nulls last,
    build_shares.realised desc,
    source

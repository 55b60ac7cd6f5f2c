-- How do the shares that a build's recipe asked for compare with the pairs that were drawn?
--
-- Requested is a share of the side, empty where the scores decide; expected and realised are pairs.
-- params: $build varchar: the build's name
-- rows:   one per pool, side and source, by these
with wanted as materialized (
    select tso_build($build::varchar) as build_key
)
select
    build_shares.pool,
    build_shares.side,
    sources.label as source,
    build_shares.requested,
    build_shares.expected,
    build_shares.realised,
    build_shares.realised / nullif(sum(build_shares.realised) over (
        partition by build_shares.pool, build_shares.side
    ), 0) as realised_share,
from build_shares
join sources on sources.source_key = build_shares.source_key
semi join wanted on wanted.build_key = build_shares.build_key
order by build_shares.pool, build_shares.side, sources.label

-- Who answers?
-- params: none
-- rows:   one per source, by label
select
    kind,
    family,
    version,
    size_b,
from sources
order by label

-- Is this stage recorded as done already?
-- params: $stage ubigint: the stage's key
-- rows:   one, or none
select
    stages.stage_key,
from stages
where stages.stage_key = $stage and stages.status = 'done'
order by stages.stage_key

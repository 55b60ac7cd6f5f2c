-- Is a run on record, and its end not yet?
-- params: $run ubigint: the run's key
-- rows:   one, or none
select runs.run_key
from runs
anti join run_outcomes on run_outcomes.run_key = runs.run_key
where runs.run_key = $run

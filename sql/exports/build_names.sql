-- Which builds can be exported?
-- params: none
-- rows:   one per name, oldest first
select
    builds.name,
from builds
group by builds.name
order by min(builds.commit_seq), builds.name

-- Which exports have been written to which places, with which manifests?
-- params: $first_seq bigint: the first commit to look at
-- rows:   one per place, by its path; the manifests oldest first
select
    exports.directory,
    list(exports.manifest_sha256 order by exports.commit_seq) as manifests,
from exports
where exports.commit_seq >= $first_seq
group by exports.directory
order by exports.directory

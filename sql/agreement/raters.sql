-- Who has given scores, corrections or preferences?
-- params: none
-- rows:   one per name
select judge as name from scores
union
select author from corrections
union
select judge from preferences
order by name

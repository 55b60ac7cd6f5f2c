-- Which stored judgements are to be read again: those once read by a parser of the family, or those of a rubric?
-- params: $family varchar: the parser's name up to its slash, with it
--         $rubric varchar: the rubric's name, whoever has read its words; null for those of the family
--         $judge varchar: only this judge; null for all
--         $is_pairwise boolean: whether the parser reads comparisons
-- rows:   one per judgement, by key
select judgements.judgement_key
from judgements
join rubrics on rubrics.rubric_key = judgements.rubric_key
where
    judgements.raw is not null
    and (judgements.other_key is not null) = $is_pairwise::boolean
    and ($judge::varchar is null or judgements.judge = $judge::varchar)
    and case
        when $rubric::varchar is not null then rubrics.name = $rubric::varchar
        else
            judgements.judgement_key in (
                select judgement_key from scores where starts_with(parser, $family)
                union all
                select judgement_key from preferences where starts_with(parser, $family)
            )
    end
order by judgements.judgement_key

-- Which answers does statistical rejection sampling accept on each prompt, in which order (Liu et al. 2023)?
-- In passes: each goes through the answers not yet accepted in a random order of its own and accepts y where
-- u < exp((r(y) - r_max) / beta), with r_max over those not yet accepted at that moment, so the best of them always is.
-- Passes follow each other until enough are accepted. One round of the recursion is one acceptance: of the places left
-- in the pass and all of the next, the first that accepts. The order and u come from the answers' content keys.
-- params: $beta double: the temperature, in units of the score
--         $n_accept integer: how many are enough
--         $order_seeds ubigint[]: the seed of the order of each pass
--         $number_seeds ubigint[]: the seed of u in each pass
-- rows:   one per accepted answer, in the order of acceptance
with recursive accepting as (
    select distinct
        prompt_key,
        0 as step,
        {
            'pass': 0,
            'place': 18446744073709551615::ubigint,
            'response_key': 0::ubigint,
            'value': 0::double,
            'best': 0::double,
            'chance': 0::double,
            'number': 0::double,
        } as won,
        []::ubigint[] as taken,
    from candidates
    where value is not null
    union all
    select
        prompt_key,
        step,
        won,
        list_append(taken, won.response_key),
    from (
        select
            prompt_key,
            step + 1 as step,
            taken,
            min(
                {
                    'pass': pass,
                    'place': place,
                    'response_key': response_key,
                    'value': value,
                    'best': best,
                    'chance': exp((value - best) / $beta::double),
                    'number': number,
                }
            ) as won,
        from (
            select
                accepting.prompt_key,
                accepting.step,
                accepting.taken,
                accepting.won.pass + ahead.passes as pass,
                tso_hash64(
                    candidates.response_key, ($order_seeds::ubigint[])[accepting.won.pass + ahead.passes]
                ) as place,
                tso_u01(
                    tso_hash64(
                        candidates.response_key, ($number_seeds::ubigint[])[accepting.won.pass + ahead.passes]
                    )
                ) as number,
                candidates.response_key,
                candidates.value,
                max(candidates.value) over (partition by accepting.prompt_key) as best,
                accepting.won.place as place_before,
                ahead.passes,
            from accepting
            join candidates on candidates.prompt_key = accepting.prompt_key
            join (select unnest([0, 1]) as passes) as ahead on accepting.step > 0 or ahead.passes = 1
            where
                accepting.step < $n_accept
                and candidates.value is not null
                and not list_contains(accepting.taken, candidates.response_key)
        )
        where (passes = 1 or place > place_before) and number < exp((value - best) / $beta::double)
        group by prompt_key, step, taken
    )
)
select
    prompt_key,
    step,
    won.pass as pass,
    won.response_key as response_key,
    won.value as value,
    won.best as best,
    won.chance as chance,
    won.number as number,
from accepting
where step > 0
order by prompt_key, step

"""What people ask about a judge: how steady it is, and who wins where the order does not matter."""


def test_pairs_are_won_only_where_both_orders_agree(judged, filled):
    def verdict(request):
        content = request.messages[-1]["content"]
        small_first = content.index("It is") < content.index("The sum")
        if "2 and 2" in content:
            return "[[A>>B]]" if small_first else "[[B>A]]"
        if "3 and 3" in content:
            return "[[B>A]]" if small_first else "[[A>B]]"
        return "[[A>B]]" if "1 and 1" in content else "neither"

    judged(verdict, "pair/1", sources=("owl/v1/7",), against="owl/v2/13")

    (row,) = filled.query("pairwise-verdicts", rubric="pair/1").rows(named=True)
    assert (row["one_source"], row["other_source"], row["n_pairs"]) == ("owl/v1/7", "owl/v2/13", 4)
    assert (row["n_wins_of_one"], row["n_wins_of_other"], row["n_ties"]) == (1, 1, 0)
    assert (row["n_disagreements"], row["n_incomplete"]) == (1, 1)


def test_samples_of_one_answer_have_a_mean_and_a_spread(judged, filled):
    said = iter(["Score: 6.0", "Score: 8.0", "Who knows?"] * 4)

    judged(lambda _: next(said), n_samples=3, dimensions=["logic"], sources=("owl/v2/13",))

    rows = filled.query("score-samples", judge="j", rubric="tso/2")
    assert (rows["n_scores"].sum(), rows["n_without"].sum()) == (8, 4)
    assert len(rows) == 4

"""Agreement on real judgements, beside what scipy, scikit-learn and krippendorff say of the same numbers."""

import json
from collections import defaultdict
from itertools import combinations

import krippendorff
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from tsodata.correcting.agreement import AgreementQuestion, measure_agreement
from tsodata.correcting.asking import export_corrections
from tsodata.correcting.offering import Selection
from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.store import Store

pytestmark = pytest.mark.realdata

OLD, NEW = "alpaca_eval_gpt4", "weighted_alpaca_eval_gpt4_turbo"


@pytest.fixture
def imported(tmp_path):
    store = Store.open(tmp_path / "s.duckdb", create=True)

    def fill(name, paths, **options):
        with store.run(Run.of_process({})) as run:
            import_files(store, name, paths, run=run, options=ImportOptions(**options))
        return store

    return fill


def figures(report, section, **subject):
    return {f.name: f for f in report.figures if f.section == section and subject.items() <= f.subject.items()}


def test_alpaca_evals_two_judges_are_compared_by_what_each_answer_wins(realdata, imported):
    folder = realdata / "alpaca_eval" / "annotations"
    store = imported("alpaca-eval-annotations", [folder], models=realdata / "MODELS.csv")

    report = measure_agreement(store, AgreementQuestion((OLD,), NEW, by=("cell",)))

    found = figures(report, "wins", cell="vicuna/pre-1.3/13")
    wins = defaultdict(dict)
    for judge in (OLD, NEW):
        for path in (folder / judge).glob("vicuna-13b.json.gz"):
            for row in json.loads(_unzipped(path)):
                wins[judge][row["instruction"]] = {0: 0.5, None: None}.get(
                    row["preference"], (row["preference"] or 0) - 1
                )
    both = [(wins[OLD][q], wins[NEW][q]) for q in wins[OLD] if None not in (wins[OLD][q], wins[NEW].get(q))]
    assert found["Spearman's rho"].n == len(both) == 805
    assert found["Spearman's rho"].value == pytest.approx(spearmanr(*zip(*both, strict=True)).statistic, abs=1e-9)
    assert found["bias"].value == pytest.approx(sum(a - b for a, b in both) / 805)
    assert found["bias"].value > 0.6  # the opponents of the second judge were GPT-4's answers


def _unzipped(path):
    import gzip

    return gzip.decompress(path.read_bytes())


def test_people_score_chinese_answers_and_length_judges_them_badly(realdata, imported, tmp_path):
    (path,) = (realdata / "alignbench" / "critiquellm_pointwise_human").glob("*.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    scale = {"rubric": "human-5", "scale_min": 1, "scale_max": 5}
    judged = [
        {**scale, "prompt": row["question"], "model": row["model"], "response": row["response"], "judge": "length"}
        | {"score": min(5, 1 + len(row["response"]) // 150)}
        for row in rows
    ]
    (tmp_path / "judged.jsonl").write_text("".join(json.dumps(row) + "\n" for row in judged), encoding="utf-8")
    store = imported("records", [tmp_path / "judged.jsonl"], dataset="alignbench")
    export_corrections(store, Selection(), to="jsonl", out=tmp_path / "sheet.jsonl")
    people = {(row["question"], row["response"]): row["human_score"] for row in rows}
    sheet = [json.loads(line) for line in (tmp_path / "sheet.jsonl").read_text(encoding="utf-8").splitlines()]
    filled = [{**row, "score": people[row["prompt"], row["answer"]]} for row in sheet]
    (tmp_path / "filled.jsonl").write_text("".join(json.dumps(row) + "\n" for row in filled), encoding="utf-8")
    imported("corrections", [tmp_path / "filled.jsonl"], human="annotators")

    found = figures(measure_agreement(store), "scores", judge="length")

    judge, human = [row["judge_score"] for row in filled], [row["score"] for row in filled]
    assert found["bias"].n == len(filled) == len({(row["question"], row["response"]) for row in rows})
    labels = ([int(value) for value in judge], human)
    kappa = cohen_kappa_score(*labels, weights="quadratic", labels=range(1, 6))
    alpha = krippendorff.alpha([judge, human], level_of_measurement="interval")
    assert found["quadratic-weighted kappa"].value == pytest.approx(kappa, abs=1e-9)
    assert found["Krippendorff's alpha"].value == pytest.approx(alpha, abs=1e-9)
    assert found["Spearman's rho"].value == pytest.approx(spearmanr(judge, human).statistic, abs=1e-9)
    assert found["Spearman's rho"].value < 0.6


def test_the_people_of_tulus_evaluation_agree_as_often_as_counted_by_hand(realdata, imported):
    store = imported("tulu-preferences", sorted((realdata / "tulu_human_eval").glob("*.xlsx")))
    sides = defaultdict(dict)
    rows = "select prompt_id, response_a, response_b, judge, avg(preference) from v_preferences group by all"
    for prompt, a, b, judge, preference in store.sql(rows).rows():
        value = preference if a < b else 1 - preference
        sides[prompt, min(a, b), max(a, b)].setdefault(judge, []).append(value)
    same = [
        (sum(one) / len(one) > 0.5) - (sum(one) / len(one) < 0.5)
        == (sum(two) / len(two) > 0.5) - (sum(two) / len(two) < 0.5)
        for judges in sides.values()
        for one, two in combinations(judges.values(), 2)
    ]

    found = figures(measure_agreement(store), "people among themselves, preferences")

    assert found["same verdict"].n == len(same) > 150
    assert found["same verdict"].value == pytest.approx(sum(same) / len(same))
    assert 0 < found["Krippendorff's alpha"].interval.low < found["Krippendorff's alpha"].value < 1

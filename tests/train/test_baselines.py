"""Every command of docs/baselines.md runs as it stands there, and leaves the stage that its table promises."""

import json
import re
from pathlib import Path

import pytest
from tsocli.data import app as data
from tsocli.train import app as train
from typer.testing import CliRunner

from tsotrain.__main__ import main as train_alone
from tsotrain.policy import load_tokenizer

PAGE = Path(__file__).parents[2] / "docs" / "baselines.md"
SETTINGS = """
batch_pairs = 8
epochs = 1
precision = "fp32"
[optimizer]
learning_rate = 1e-3
"""
DIMENSIONS = ("helpfulness", "harmlessness")


def rows():
    """Return six prompts with people's answers, one of each model around the base, and four of the base's own."""
    for i in range(6):
        yield {"prompt": f"what is {i}?", "response": f"a person says {i}", "human": True}
        cells = [("v1", 7), ("v2", 7), ("v4", 7), ("v3", 1), ("v3", 13)]
        answers = [(*cell, f"{cell[0]} {cell[1]} says {i}") for cell in cells]
        for version, size, text in answers + [("v3", 7, f"base says {'oh ' * k}{i}") for k in range(4)]:
            for dimension in DIMENSIONS:
                score = 3 + (len(text) * 7 + i + len(dimension)) % 7 + 0.01 * len(text)
                yield {
                    "prompt": f"what is {i}?", "response": text, "family": "owl", "version": version, "size": size,
                    "judge": "j", "dimension": dimension, "score": score,
                }  # fmt: skip


def blocks(kind):
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return [text for of_block, text in found if of_block == kind]


def commands():
    return [line.split() for block in blocks("") for line in block.splitlines()]


@pytest.fixture(scope="module")
def run(tmp_path_factory, base):
    folder = tmp_path_factory.mktemp("baselines")
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
    (folder / "tso.toml").write_text(SETTINGS)
    for name, text in zip(re.findall(r"`([\w-]+\.toml)`:", PAGE.read_text()), blocks("toml"), strict=True):
        (folder / name).write_text(text)
    (folder / "models").mkdir()
    (folder / "models" / "owl-v3-7b").symlink_to(base)
    patch = pytest.MonkeyPatch()
    patch.delenv("TSO_STORE", raising=False)
    patch.chdir(folder)

    def invoke(program, *words):
        done = CliRunner().invoke({"tso-data": data, "tso-train": train}[program], words)
        return done.exit_code, done.stdout, done.stderr

    assert invoke("tso-data", "import", "records", "rows.jsonl")[0] == 0
    yield invoke
    patch.undo()


@pytest.fixture(scope="module")
def page(run):
    """Run the whole page, and return for each command what came of it."""
    return [(words, *run(*words)) for words in commands()]


def test_every_command_of_the_page_does_what_it_says(page):
    failed = [(" ".join(words), said) for words, code, _, said in page if code]

    assert not failed
    assert len(page) == 26


def test_every_row_of_the_table_is_a_stage_in_the_store(run, page):
    assert page
    _, printed, _ = run("tso-data", "sql", "select build, minibatch, config, policy_id from v_stages", "--json")
    made = {(row["build"], row["minibatch"], json.loads(row["config"])["loss"]["name"]) for row in json.loads(printed)}
    promised = {
        *((build, k, loss) for build, loss, n in (("tso", "dual_clip", 3), ("dpo-2", "dpo", 2), ("self", "dpo", 3))
          for k in range(1, n + 1)),
        *(("once", 1, loss) for loss in ("dpo", "ipo", "cdpo", "sft")),
        *((build, 1, loss) for build, loss in (("rso", "dpo"), ("raft", "sft"), ("rest", "sft"))),
        *(("ranked", 1, loss) for loss in ("rrhf", "pro")),
    }  # fmt: skip

    assert made == promised
    assert len(json.loads(printed)) == len({row["policy_id"] for row in json.loads(printed)}) == len(promised)


def test_a_stage_on_answers_learns_each_of_them_and_tells_what_by_its_id(run, page):
    assert page
    _, printed, _ = run(
        "tso-data",
        "sql",
        "select response_id from v_build_responses where build = 'rest' and split = 'train'",
        "--json",
    )
    lines = [json.loads(line) for line in Path("stages/rest/1/feedback.jsonl").read_text().splitlines()]

    assert sorted(line["record_id"] for line in lines) == sorted(row["response_id"] for row in json.loads(printed))
    assert len(lines) > 6


@pytest.mark.parametrize(
    ("build", "sides"), [("raft", {"answer"}), ("ranked", {"answer"}), ("rso", {"chosen", "rejected"})]
)
def test_the_evidence_of_a_policy_has_every_answer_that_it_has_learnt(run, page, build, sides):
    assert page
    made = f"select policy_id from v_stages where build = '{build}' order by all limit 1"
    policy = json.loads(run("tso-data", "sql", made, "--json")[1])[0]["policy_id"]
    evidence = json.loads(run("tso-data", "query", "policy-evidence", "-p", f"policy={policy}", "--json")[1])
    held = f"select response_id from v_build_responses where build = '{build}' and split = 'train'"
    answers = json.loads(run("tso-data", "sql", held, "--json")[1])

    assert {row["side"] for row in evidence} == sides
    assert {row["pair_id"] is None for row in evidence} == {sides == {"answer"}}
    if answers:
        assert {row["response_id"] for row in evidence} == {row["response_id"] for row in answers}
    assert all(row["judge"] == "j" for row in evidence if row["source"] != "human")


@pytest.mark.parametrize(
    ("build", "loss", "message"),
    [
        ("raft", "dpo", "build 'raft' holds answers, and loss 'dpo' learns from pairs; pass -s loss.name=sft"),
        ("raft", "pro", "build 'raft' holds answers, and loss 'pro' learns from ranked lists; pass -s loss.name=sft"),
        ("ranked", "sft", "holds ranked lists, and loss 'sft' learns from answers or pairs; pass -s loss.name=rrhf or"),
        ("once", "rrhf", "build 'once' holds pairs, and loss 'rrhf' learns from ranked lists; pass -s loss.name=dual_"),
    ],
)
def test_a_loss_that_cannot_learn_from_a_build_is_refused_in_one_line(run, page, build, loss, message):
    assert page
    words = ("--build", build, "--minibatch", "1", "-s", f"loss.name={loss}", "--policy", "models/owl-v3-7b")
    code, _, said = run("tso-train", "stage", *words)
    dry, _, said_dry = run("tso-train", "stage", *words, "--dry-run")

    assert (code, dry) == (2, 2)
    assert message in said.splitlines()[-1]
    assert message in said_dry.splitlines()[-1]


@pytest.mark.parametrize(("build", "loss", "noun"), [("raft", "sft", "answers"), ("ranked", "pro", "lists")])
def test_a_dry_run_counts_what_the_stage_learns_from(run, page, build, loss, noun):
    assert page
    words = ("--build", build, "--minibatch", "1", "-s", f"loss.name={loss}", "--policy", "models/owl-v3-7b")
    code, printed, _ = run("tso-train", "stage", *words, "--dry-run")

    assert code == 0
    assert json.loads(printed)[f"n_{noun}"] == 6


@pytest.mark.parametrize(("loss", "folder"), [("sft", "stages/raft/1/answers"), ("pro", "stages/pro/lists")])
def test_without_a_store_a_stage_learns_the_same_from_its_files(page, base, capsys, loss, folder):
    """The export lies in the stage's folder; ids, which the packing deals by, lie beside the rows."""
    assert page
    rows = f"{folder}/data/train-00000-of-00001.parquet"
    words = [rows, "--policy", str(base), "--out", f"alone-{loss}", "--config", "tso.toml", "-s", f"loss.name={loss}"]

    assert train_alone(words) == 0
    made = json.loads(capsys.readouterr().out)["policy_sha256"]
    assert made == json.loads((Path(folder).parent / "stage.json").read_text())["outcome"]["policy_sha256"]


def test_the_export_for_ppo_has_each_prompt_once_as_its_reader_renders_it(base, page):
    """OpenRLHF's PromptDataset renders the messages of the input key with the generation prompt behind them."""
    assert page
    lines = [json.loads(line) for line in Path("exports/ppo/train.jsonl").read_text().splitlines()]
    template = load_tokenizer(base).apply_chat_template
    prompts = [template(line["prompt"], tokenize=False, add_generation_prompt=True) for line in lines]

    assert sorted(prompts) == [f"<s>[user]what is {i}?[assistant]" for i in range(6)]
    assert "--data.prompt_dataset train.jsonl --data.input_key prompt" in Path("exports/ppo/README.md").read_text()


def test_a_stage_without_a_reference_has_no_rewards_to_draw(run, page):
    pytest.importorskip("matplotlib")
    assert page
    code, _, said = run("tso-train", "curves", "stages/raft/1")

    assert code == 1
    assert "stages/raft/1: it learnt without a reference, so it has no rewards to draw" in said

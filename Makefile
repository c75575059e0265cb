# Two commands do everything: `make demo` and `make test`. Each makes the virtual environment it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The matrices here are small: more threads only compete with each other.
export OPENBLAS_NUM_THREADS := 1
# Tests and benchmarks start hundreds of processes; not each of them compiles stmlab anew.
unexport PYTHONDONTWRITEBYTECODE
QT_LIBRARIES := libglib2.0-0 libgl1 libegl1 libxkbcommon0 libfontconfig1 libdbus-1-3

.PHONY: demo test test-all mutants lint bench bench-adaptive bench-peers faults kills guardian-deaths spin-systems gui screenshots docs clean

demo: $(VENV)/.demo
	$(BIN)/stmlab demo --directory runs

# `make lint` is among the tests. Some wait for other processes: three at a time keep two cores busy.
test: $(VENV)/.test qt-libraries
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# What takes minutes as well.
test-all: $(VENV)/.test qt-libraries
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "slow or not slow"

# Small faults in the code, one at a time: which of them does no test notice?
PATHS ?= stmlab drivers sequences
EACH ?= 3
SEED ?= 1
mutants: $(VENV)/.test
	$(BIN)/python -m tests.mutation.mutate $(PATHS) --each $(EACH) --seed $(SEED)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Every kind of fault in every phase of a run: is the junction safe, are the data true? At most 20 minutes.
faults: $(VENV)/.test
	$(BIN)/python tests/campaigns/faults.py

# 200 runs that are killed, and resumed until they are whole; less than 10 minutes on 2 cores.
kills: $(VENV)/.test
	$(BIN)/python tests/campaigns/kills.py

# 65 deaths of runs, each in a simulated laboratory of its own; some 9 minutes on 2 cores.
guardian-deaths: $(VENV)/.test
	$(BIN)/python tests/campaigns/guardian.py

# Six spin systems, 20 seeds each, fitted beside their alternatives; some 15 minutes.
spin-systems: $(VENV)/.test
	$(BIN)/python tests/campaigns/spin_systems.py

bench: $(VENV)/.test
	$(BIN)/python tests/benchmarks/run_all.py

# Measuring less: fewer readings, less time, honest errors, wrong lines doubted; at most 30 minutes on 2 cores.
bench-adaptive: $(VENV)/.test
	$(BIN)/python tests/benchmarks/adaptive_all.py

# What users would pick instead, each in an environment of its own with one job that is ours too; needs the network.
bench-peers: $(VENV)/.test qt-libraries
	QT_QPA_PLATFORM=offscreen $(BIN)/python tests/benchmarks/peers.py

# The pictures of the window in docs/pictures; look at all of them.
screenshots: $(VENV)/.test qt-libraries
	QT_QPA_PLATFORM=offscreen $(BIN)/python docs/screenshots.py

# The guide, in build/guide: its figures are drawn by the commands on its pages. A warning is an error; with --quiet
# MkDocs would not count them.
docs: $(VENV)/.docs
	QT_QPA_PLATFORM=offscreen $(BIN)/python docs/pages.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "build/guide/index.html"

gui: $(VENV)/.test
	$(BIN)/stmlab gui

# Qt needs these even off screen; root installs what is missing, anybody else is told.
.PHONY: qt-libraries
qt-libraries:
	@command -v dpkg-query >/dev/null || exit 0; \
	missing=; for name in $(QT_LIBRARIES); do \
	  dpkg-query -W -f='$${Status}\n' $$name $${name}t64 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$name"; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; \
	  else echo "Qt needs these packages; install them with: sudo apt-get install$$missing" >&2; exit 1; fi; \
	fi

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@ $(VENV)/.demo

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@ $(VENV)/.demo

clean:
	rm -rf docs/figures $(VENV) .envs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Each target does all the set-up it needs, says what it does, and may be run again at any time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Only one run sets up at a time; the stamp is newer than everything it was made from.
STAMP := $(VENV)/.ready

.PHONY: demo test check bench clean

demo: $(STAMP)
	$(BIN)/musicnet-build demo -o demo

test: $(STAMP)
	$(BIN)/python -m pytest

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	PYTHON=$(BIN)/python sh tests/benchmarks/run.sh

$(STAMP): setup.cfg pyproject.toml tools/setup.sh
	PYTHON=$(PYTHON) VENV=$(VENV) sh tools/setup.sh
	touch $@

clean:
	rm -rf $(VENV) demo build *.egg-info

# Each target does all the set-up it needs, says what it does, and may be run again at any time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Made once the set-up is complete, and again when what it was made from has changed.
STAMP := $(VENV)/.ready

.PHONY: demo test check bench picture clean

demo: $(STAMP)
	$(BIN)/musicnet-build demo -o demo

test: $(STAMP)
	$(BIN)/python -m pytest

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python tests/benchmarks/bench_dtw.py

# The picture in the README: the demo's, with fewer colours.
picture: demo
	$(BIN)/python tools/shrink_picture.py demo/alignment.png docs/images/demo.png

$(STAMP): setup.cfg pyproject.toml tools/setup.sh
	PYTHON=$(PYTHON) VENV=$(VENV) sh tools/setup.sh
	touch $@

clean:
	rm -rf $(VENV) demo build *.egg-info

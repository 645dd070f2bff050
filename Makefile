# Each target does all the set-up it needs, says what it does, and may be run again at any time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Made once the set-up is complete, and again when what it was made from has changed.
STAMP := $(VENV)/.ready

.PHONY: demo test check docs dist bench picture clean

demo: $(STAMP)
	$(BIN)/musicnet-build demo -o demo

# On all cores; the tests of one file share what they have made, and the longest files come first.
test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The documents and the API reference as a site: docs/_build/index.html. A warning is an error.
docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	$(BIN)/sphinx-build --builder html --fail-on-warning --keep-going --quiet docs docs/_build

# The sdist and the wheel, each installed into a fresh environment, where the demo and the sdist's tests run.
dist: $(STAMP)
	PYTHON=$(BIN)/python sh tools/check_dist.sh dist

bench: $(STAMP)
	PYTHON=$(BIN)/python sh tests/benchmarks/run.sh

# The picture in the README: the demo's, with fewer colours.
picture: demo
	$(BIN)/python tools/shrink_picture.py demo/alignment.png docs/images/demo.png

$(STAMP): setup.cfg pyproject.toml tools/setup.sh
	PYTHON=$(PYTHON) VENV=$(VENV) sh tools/setup.sh
	touch $@

clean:
	rm -rf $(VENV) demo build dist docs/_build docs/generated *.egg-info

# Everything a developer or CI runs. `make demo` and `make test` need Python >= 3.11, git and make; nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2
# What `make bench` multiplies the limits by before it fails: more than 1 on a machine that others share.
SLACK ?= 1
# How often `make bench` runs what takes seconds.
ROUNDS ?= 5
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Tables of thousands of rows, which only change with what they are about: not even collected by `make test-fast`.
THOROUGH_FOLDERS := tests/policies tests/cel tests/rollout

.PHONY: help demo test browser test-offline test-fast test-control-plane lint format bench wheel docs clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/:/' | column -t -s ':'

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "gitops-guard needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --upgrade pip
	@touch $@

$(VENV)/.package: $(VENV)/.created pyproject.toml
	$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.package
	$(PIP_INSTALL) --editable '.[test]'
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	$(PIP_INSTALL) --editable '.[lint]'
	@touch $@

demo: $(VENV)/.package  ## install, then check the example repository: it prints findings
	@echo
	@echo '$$ gitops-guard check examples/shop'
	@$(BIN)/gitops-guard check --config examples/shop/.gitops-guard.yaml examples/shop || test $$? -le 2
	@echo
	@echo 'Every finding above is meant: examples/shop/broken/ holds one mistake a file. Everything else in the example is clean.'

test: test-offline test-control-plane  ## run every test

# No wheel carries a browser. As root on Debian it is installed; who is not root is told how, and without it tests fail.
browser:  ## have a Chromium, for the tests that open pages
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing Chromium for the tests of pages"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else \
	  echo "the tests of pages need Chromium on PATH, such as from: sudo apt-get install chromium"; \
	fi

test-offline: $(VENV)/.test browser  ## run every test that needs no control plane
	$(BIN)/python -m pytest -n $(JOBS) -m 'not controlplane and not bench'

test-fast: $(VENV)/.test  ## the same without the thorough ones: under a minute, for the next edit
	$(BIN)/python -m pytest -n $(JOBS) -m 'not controlplane and not bench and not thorough' $(THOROUGH_FOLDERS:%=--ignore=%)

# Each of the two processes has servers of its own: most of the time goes by waiting for controllers.
test-control-plane: control-plane  ## run the tests that ask a real API server and real controllers
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m 'controlplane and not bench' --durations 10

lint: $(VENV)/.lint  ## style, types, import floors, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(VENV)/.lint  ## rewrite the code in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/.lint  ## build the wheel and try it in an environment of its own
	rm -rf dist build/smoke
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) -m venv build/smoke
	build/smoke/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd build/smoke && bin/python -I ../../tests/smoke/installed_wheel.py

bench: $(VENV)/.test  ## compare speed ratios within one run (see docs/performance.md)
	SLACK=$(SLACK) $(BIN)/python -m pytest -m bench -s
	$(BIN)/python tests/bench/run.py --slack $(SLACK) --rounds $(ROUNDS)

docs: $(VENV)/.package  ## write the generated reference and the picture anew
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/terminal_picture.py

clean:  ## remove what the targets above made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

include tests/controlplane/control-plane.mk

# The control plane of the tests, for the top-level Makefile to include; PYTHON is its interpreter with the test dependencies.
PYTHON ?= python3
PYTEST_WORKERS ?= auto

.PHONY: control-plane control-plane-all record test test-fast

control-plane: ## Put the control plane's binaries into the cache: built once, some ten minutes on two cores
	PYTHONPATH=tests $(PYTHON) -m controlplane.binaries

control-plane-all: control-plane ## The same, with flagger and Argo Rollouts
	PYTHONPATH=tests $(PYTHON) -m controlplane.binaries flagger rollouts-controller

record: control-plane ## Record anew what the real server and its controllers do
	PYTHONPATH=tests $(PYTHON) -m controlplane.record

# loadgroup keeps the tests that share a server in one worker
test: ## All tests, those on the control plane included
	$(PYTHON) -m pytest -n $(PYTEST_WORKERS) --dist loadgroup

test-fast: ## The tests that need no control plane
	$(PYTHON) -m pytest -n $(PYTEST_WORKERS) -m "not controlplane"

# The control plane of the tests, for the top-level Makefile to include; PYTHON is its interpreter with the test dependencies.
PYTHON ?= python3
PYTEST_WORKERS ?= auto

.PHONY: control-plane control-plane-all record test test-fast test-control-plane

control-plane: ## Put the control plane's binaries into the cache: built once, some ten minutes on two cores
	PYTHONPATH=tests $(PYTHON) -m controlplane.binaries

control-plane-all: control-plane ## The same, with flagger and Argo Rollouts
	PYTHONPATH=tests $(PYTHON) -m controlplane.binaries flagger rollouts-controller

record: control-plane ## Record anew what the real server and its controllers do
	PYTHONPATH=tests $(PYTHON) -m controlplane.record

test: test-fast test-control-plane ## All tests

test-fast: ## The tests that need no control plane
	$(PYTHON) -m pytest -n $(PYTEST_WORKERS) -m "not controlplane"

# one process, which one server serves; the two cores are busy with the server anyway
test-control-plane: control-plane ## The tests on the control plane
	$(PYTHON) -m pytest -m controlplane

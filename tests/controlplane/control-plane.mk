# The control plane of the tests; included by the top-level Makefile, whose $(BIN) holds the test dependencies.

.PHONY: control-plane control-plane-all record

control-plane: $(VENV)/.test  ## build the control plane's binaries into the cache: once, some ten minutes on two cores
	PYTHONPATH=tests $(BIN)/python -m controlplane.binaries

control-plane-all: control-plane  ## the same, with flagger and Argo Rollouts
	PYTHONPATH=tests $(BIN)/python -m controlplane.binaries flagger rollouts-controller

record: control-plane  ## record anew what the real server and its controllers do
	PYTHONPATH=tests $(BIN)/python -m controlplane.record

# Peer tests: the guest driver on QEMU's own devices. Expects PYTHON and the set-up of `make setup`.
PYTHON ?= .venv/bin/python

.PHONY: peers
peers: ## our driver on QEMU's devices, judged by the checker (skips where QEMU is missing)
	$(PYTHON) -m pytest tests/peers

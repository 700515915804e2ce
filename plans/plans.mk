.PHONY: nightly smoke

BUDGET ?= 7h

smoke: $(STAMP) ## a regression of two minutes, with its page
	@$(COSIM) regress plans/smoke.toml

nightly: $(STAMP) ## the night's plan under BUDGET, then every planted bug and the peers; one page
	@BUDGET=$(BUDGET) $(PYTHON_ENV) -m tb.regress.nightly

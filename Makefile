# Everything there is to do with this project; `make` alone lists it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint faults bench docs clean

help: ## List what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with everything in it, as pinned in constraints.txt

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Landbridge needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (some minutes the first time) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[airflow,quality,mdm,mysql,otel,sftp,soap,dev]'
	@touch $@

demo: $(READY) ## A CRM and an ERP joined before your eyes; ONCE=1 checks and ends, ERP=tryton, DATA=<folder of CSV files>
	@$(BIN)/landbridge demo $(if $(filter-out 0 no false,$(ONCE)),--once) $(if $(ERP),--erp '$(ERP)') $(if $(DATA),--data '$(DATA)')

test: $(READY) ## Run every test; ARGS="-k name" chooses
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: $(READY) ## ruff, its formatting, and mypy in strict mode
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

faults: $(READY) ## Crash and disturb it on purpose, half an hour; BUDGET=<seconds>, SEED=<number>, ONLY=<part>; it resumes
	@BUDGET='$(BUDGET)' SEED='$(SEED)' ONLY='$(ONLY)' LANES='$(LANES)' DOCS='$(DOCS)' $(BIN)/python tests/faults/long_form.py

bench: $(READY) ## Measure against peers; the last line of each is one JSON object
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

docs: $(READY) ## Make the reference pages and the editor's schemas anew
	@$(BIN)/python -m landbridge.cli._reference
	@$(BIN)/python -m landbridge.canonical schemas/canonical > docs/canonical.md

clean: ## Remove .venv, caches and the demonstration's state (nothing of your own)
	@rm -rf $(VENV) .landbridge/demo .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Everything runs through .venv, which each target builds or renews when it has to.
PIPELINE ?= ncf
DATASET ?= sample
ARGS ?=
PYTHON := .venv/bin/python

.PHONY: help setup run test test-all check lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Build .venv from requirements.lock if it is missing or stale
	@./tools/make_venv.sh

run: setup ## Run PIPELINE (ncf) on DATASET (sample); more arguments in ARGS
	@$(PYTHON) -m pipeline run $(PIPELINE) --dataset $(DATASET) $(ARGS)

check: setup ## ruff and mypy
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

test: check ## Checks and the lean tests; what CI runs
	@$(PYTHON) -m pytest -m "not slow"

test-all: check ## Checks and every test
	@$(PYTHON) -m pytest

lock: setup ## Renew requirements.lock from requirements.in
	@PATH="$(CURDIR)/.uv/bin:$$PATH" uv pip compile --quiet --python-version 3.10 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--upgrade requirements.in --output-file requirements.lock

clean: ## Remove the environment and build output, but no data and no results
	@rm -rf .venv .uv build dist *.egg-info

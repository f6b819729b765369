# Everything runs through .venv, which each target builds or renews when it has to.
PIPELINE ?= ncf
DATASET ?= sample
ARGS ?=
DEVICE ?= cpu
PIPELINE_IMAGE ?= tfx-recommenders:latest
PYTHON := .venv/bin/python
# In the order of the tree: by default a long group of few tests would come last.
PARALLEL := --numprocesses 2 --dist loadscope --no-loadscope-reorder

.PHONY: help setup run test test-all test-portable test-report test-image bench check image goldens audit lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Build .venv from the locks if it is missing or stale; PYTHON_VERSIONS chooses
	@./tools/make_venv.sh

run: setup ## Run PIPELINE (ncf) on DATASET (sample); more arguments in ARGS
	@$(PYTHON) -m pipeline run $(PIPELINE) --dataset $(DATASET) $(ARGS)

check: setup ## ruff and mypy
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

test: check ## Checks and the lean tests; what CI runs
	@$(PYTHON) -m pytest $(PARALLEL) -m "not slow"

test-all: check ## Checks and every test
	@$(PYTHON) -m pytest -rs

bench: setup ## Measure speed and memory, half an hour; more arguments in ARGS
	@$(PYTHON) -m benchmarks $(ARGS)

test-portable: setup ## The Beam steps of all pipelines on Prism, which Go builds; part of test-all
	@command -v go >/dev/null || test -d build/prism || { \
		echo "test-portable: Go is missing, which builds Prism: install it from https://go.dev/dl" >&2; exit 1; }
	@$(PYTHON) -m pytest -rs tests/portable

test-report: setup ## The reports of all pipelines in Chromium, if there is one; part of test-all
	@$(PYTHON) -m pytest -rs -k in_a_browser tests/e2e

test-image: setup ## The image, built by Debian's buildah; needs root; part of test-all
	@command -v buildah >/dev/null && command -v debootstrap >/dev/null || { \
		echo "test-image: buildah or debootstrap is missing: apt-get install buildah debootstrap" >&2; exit 1; }
	@$(PYTHON) -m pytest -rs tests/image

image: ## Build PIPELINE_IMAGE for DEVICE (cpu or gpu)
	@docker build --build-arg DEVICE=$(DEVICE) --tag $(PIPELINE_IMAGE) .

goldens: setup ## Renew tests/kubeflow/goldens and show what changed
	@$(PYTHON) -m tests.kubeflow.renew_goldens
	@git --no-pager diff --stat --patch -- tests/kubeflow/goldens

audit: setup ## Look the locks up among known vulnerabilities
	@./tools/audit.sh

lock: setup ## Renew the locks: what runs, and on top of it what tests and GPUs need
	@for name in requirements requirements-dev requirements-gpu; do \
		PATH="$(CURDIR)/.uv/bin:$$PATH" uv pip compile --quiet --universal --python-version 3.11 \
			--generate-hashes --no-emit-index-url --no-emit-find-links --upgrade \
			--custom-compile-command "make lock" $$name.in --output-file $$name.lock || exit; \
	done

clean: ## Remove the environment and build output, but no data and no results
	@rm -rf .venv .uv build dist *.egg-info

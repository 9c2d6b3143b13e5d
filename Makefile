# leadlab: every target sets up what it needs. `make help` lists them.
PYTHON ?= python3
PORT ?= 5006
# A Python that the newest XGBoost runs on, where there is one.
PYTHON_NEWEST ?= $(firstword $(foreach p,python3.13 python3.12 \
	$(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python $(HOME)/.pyenv/versions/3.12.*/bin/python),\
	$(shell $(p) -c 'import sys; print(sys.executable if sys.version_info >= (3, 12) else "")' 2>/dev/null)))
BIN := .venv/bin
SHARED_DATA := $(wildcard ../shared/data)
export LEADLAB_DATA_DIR ?= $(if $(SHARED_DATA),$(abspath $(SHARED_DATA)))
ifeq ($(LEADLAB_DATA_DIR),)
unexport LEADLAB_DATA_DIR
endif

.DEFAULT_GOAL := help
.PHONY: help setup serve demo test cover soak lint format bench newest newest-environment lab lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## Make .venv and install the locked set

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "leadlab needs Python 3.11 to 3.13; name one with: make PYTHON=python3.12"; exit 1; }
	@echo "Setting up .venv (a minute or two, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

serve: .venv/.ready ## Train what is missing, then serve the live page (PORT=5006)
	@$(BIN)/leadlab demo --if-missing
	@$(BIN)/panel serve apps/hub.py --address 127.0.0.1 --port $(PORT) --index hub

demo: .venv/.ready ## Build features, train, evaluate, and show the top leads with their reasons
	@$(BIN)/leadlab demo

test: .venv/.ready ## Run all tests: doctests, properties, notebooks, pages in a browser
	@$(BIN)/python -m pytest
	@$(BIN)/python -m pytest --nbval-lax notebooks -o addopts= -q

cover: .venv/.ready ## Run all tests but the notebooks and list the lines that none of them runs
	@$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

soak: .venv/.ready ## Kill the live service 30 times under load; prints what was lost, doubled or other
	@$(BIN)/python -m tests.faults.soak
	@$(BIN)/python -m tests.api.soak

lint: .venv/.ready ## Check style, types, and who imports whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/.ready ## Put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/.bench newest-environment ## Measure every claim beside its peers; writes benchmarks/results.json
	@$(BIN)/python benchmarks/run.py

.venv/.bench: .venv/.ready requirements-bench.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

newest: newest-environment ## Test explanations under the newest XGBoost, where a Python 3.12 is found
	@if [ -x .venv-newest/bin/python ]; then \
		.venv-newest/bin/python -c "import xgboost; print('XGBoost', xgboost.__version__)"; \
		.venv-newest/bin/python -m pytest -q $(foreach t,ensemble foreign importance oracle trees,tests/explain/test_explain_$(t).py); \
	fi

newest-environment:
	@if [ -z "$(PYTHON_NEWEST)" ]; then echo "No Python 3.12 here: the newest XGBoost is left out."; \
	elif [ ! -e .venv-newest/.ready ]; then \
		echo "Setting up .venv-newest" && $(PYTHON_NEWEST) -m venv .venv-newest && \
		.venv-newest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade $(NEWEST) && \
		touch .venv-newest/.ready; fi

NEWEST := 'xgboost-cpu>=3.4' hypothesis numba numpy pandas pyarrow pydantic pytest rich scikit-learn shap \
	skops venn-abers woodelf-explainer

lab: .venv/.ready ## Open the notebooks in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=notebooks

lock: .venv/.ready ## Resolve requirements*.lock anew (needs uv)
	uv pip compile pyproject.toml --extra app --extra notebook --extra clv --extra s3 --extra uplift --extra live --extra dev $(LOCK_FLAGS) -o requirements.lock
	uv pip compile pyproject.toml --all-extras -c requirements.lock $(LOCK_FLAGS) -o requirements-bench.lock

LOCK_FLAGS := --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-header --no-annotate --no-emit-index-url

clean: ## Remove what was made here: .venv, models, caches
	rm -rf .venv .venv-newest .leadlab .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

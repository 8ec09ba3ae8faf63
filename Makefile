# Everything a developer or a newcomer does; `make help` lists it. Needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One more than cores: some wait for a quota or a database while others work.
WORKERS ?= 3
PEOPLE ?= 20000
NIGHTS ?= 30
SOAK_BESIDE ?= meltano-tap-hubspot tap-salesforce

# Airflow and Great Expectations are thousands of modules. Where nobody may keep them compiled, each process compiles them anew, which
# is a quarter of its time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format bench bakeoff soak up down lock migration docs clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## Build the environment in .venv from requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Two nights of the real DAGs on a made-up world; prints what came of it
	@$(BIN)/smarketing demo $(DEMO_ARGS)

test: setup ## All tests but soak and bench (four to eight minutes on two cores, fifteen on slow ones); make test TESTS=tests/unit for a part
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder -m "not soak" $(TESTS)

lint: setup ## ruff, mypy, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports --no-cache

format: setup ## Put the code into its standard form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## Measure against peers and the floor; writes benchmarks/results.md
	@$(BIN)/python -m benchmarks.run
	@$(BIN)/python -m benchmarks.attribution
	@$(BIN)/python -m benchmarks.duplicates

bakeoff: setup ## Read the same worlds beside public connectors; writes benchmarks/results.md: make bakeoff BAKEOFF_ARGS="--people 300"
	@$(BIN)/python -m benchmarks.bakeoff $(BAKEOFF_ARGS)

soak: setup ## Nights under all faults, a run killed in each, against the truth, then public connectors in the same world: make soak PEOPLE=400 NIGHTS=6
	@seed=$${SMARKETING_TEST_SEED:-$$($(BIN)/python -c "import secrets; print(secrets.randbelow(10**6))")}; \
	SMARKETING_TEST_SEED=$$seed SMARKETING_SOAK_PEOPLE=$(PEOPLE) SMARKETING_SOAK_NIGHTS=$(NIGHTS) \
	    $(BIN)/python -m pytest -q -s -m soak && \
	$(BIN)/python -m benchmarks.bakeoff --seed $$seed --people $(PEOPLE) --nights $(NIGHTS) --faults all --soak --beside $(SOAK_BESIDE)

up: ## Start everything with Docker Compose
	@test -f .env || cp .env.example .env
	docker compose up --build --detach --wait

down: ## Stop Docker Compose; data stays
	docker compose down

lock: setup ## Pin the whole environment anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml --upgrade -o requirements.lock

migration: setup ## Write a migration for changed tables: make migration M="what changes"
	@$(BIN)/python -m warehouse.revise "$(M)"
	@$(BIN)/ruff format --quiet warehouse/migrations/versions

docs: setup ## Write docs/tables.md anew from the table metadata
	@$(BIN)/python -m warehouse.dictionary

clean: ## Remove what is local: demo, test servers, caches (not .venv, not the warehouse in .local/postgres)
	@if [ -x $(BIN)/python ]; then $(BIN)/python -c "from pathlib import Path; from warehouse import embedded; [embedded.remove(p.parent) for p in (*Path('.local').glob('*/PG_VERSION'), *Path('.local').glob('*/postgres/PG_VERSION')) if p.parent != Path('.local/postgres')]"; fi
	@if [ -d .local ]; then find .local -mindepth 1 -maxdepth 1 ! -name postgres -exec rm -rf {} +; fi
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

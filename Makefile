# The commands of the README: make demo, make panel, make dev, make test, make test-all. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINT := .venv-lint/bin
SPARK := .venv-spark
DEMO := var/demo

# No telemetry, whatever the tools' own defaults.
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DAGSTER_DISABLE_TELEMETRY := 1
export GX_ANALYTICS_ENABLED := false

.PHONY: install demo panel contracts docs test test-all test-spark fuzz check-company accuracy lint dev bench bench-large clean
.DEFAULT_GOAL := demo

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Radar needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	@echo "Installing, 1 of 2: Python packages of requirements.lock into $(VENV) (once, 1 to 4 minutes; pip prints nothing until it is done)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@echo "Installing, 2 of 2: compiling the packages, so that every start is faster (once, about a minute)"
	@$(BIN)/python -m compileall -q -j 2 $(VENV)/lib || true
	@touch $@

# What Radar runs on, and nothing else.
install: $(VENV)/.ready

# What only tests and checks need comes on top, and never where the product alone runs.
$(VENV)/.test-ready: $(VENV)/.ready requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-test.lock
	@touch $@

.venv-lint/.ready: requirements-lint.lock
	$(PYTHON) -m venv .venv-lint
	$(LINT)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-lint.lock
	@touch $@

# A demo company up to yesterday, made once, and scored on its last day and the 30 before it, so that trends show.
# What an earlier make demo made keeps its last day: make clean begins a new one. Dagster records the run for make dev.
demo: $(VENV)/.ready
	@mkdir -p $(DEMO)/dagster && cp orchestration/dagster.yaml $(DEMO)/dagster/dagster.yaml
	@test -d $(DEMO)/extracts || $(BIN)/python -c 'from datetime import UTC, datetime, timedelta; \
		last = datetime.now(UTC).date() - timedelta(days=1); print(last - timedelta(days=30), last)' > $(DEMO)/days
	@test -f $(DEMO)/days || echo 2026-05-31 2026-06-30 > $(DEMO)/days
	@read since last < $(DEMO)/days \
		&& { test -d $(DEMO)/extracts \
			|| { echo "Demo, 1 of 2: writing the extracts of an invented company to $(DEMO)/extracts (a few seconds)"; \
				$(BIN)/radar demo $(DEMO)/extracts --end $$last --stale; }; } \
		&& echo "Demo, 2 of 2: radar run, which loads, checks and scores each day from $$since to $$last (1 to 2 minutes)" \
		&& $(BIN)/radar run --extracts $(DEMO)/extracts --warehouse $(DEMO)/warehouse.duckdb \
			--exports $(DEMO)/exports --published $(DEMO)/published --since $$since --as-of $$last
	@$(BIN)/python -m radar.demo.next_steps $(DEMO)

# The panel on the company of make demo, which is made first where it is missing.
panel: $(VENV)/.ready
	@test -e $(DEMO)/published/radar.duckdb || $(MAKE) --no-print-directory demo
	@$(BIN)/radar panel --demo $(DEMO)

# What is derived from feeds/contract and has to be a file: dbt's sources and staging descriptions, docs/feeds.md.
contracts: $(VENV)/.ready
	@$(BIN)/python -m radar.landing.contract_files

# What dbt knows of the models (descriptions, columns, lineage) as one page that opens from disk, of the warehouse of
# make demo, unless RADAR_WAREHOUSE names another by its absolute path.
docs: export DBT_TARGET_PATH := $(CURDIR)/var/docs/dbt
docs: export DBT_LOG_PATH := $(CURDIR)/var/docs/dbt
docs: $(VENV)/.ready
	@test -n "$(RADAR_WAREHOUSE)" -o -e $(DEMO)/warehouse.duckdb || $(MAKE) --no-print-directory demo
	@cd dbt_project && ../$(BIN)/dbt --quiet docs generate --static
	@cp var/docs/dbt/static_index.html var/docs/index.html
	@echo "Open $(CURDIR)/var/docs/index.html"

lint: $(VENV)/.test-ready .venv-lint/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(LINT)/sqlfluff lint --disable-progress-bar --processes 2 dbt_project/models dbt_project/tests

PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# What a change is tried with while it is made: minutes.
test: $(VENV)/.test-ready
	$(PYTEST) -m "not slow"

# Everything: also whole runs that are killed, flooded, shuffled and repeated. Before a change goes in; .ci/run calls it.
test-all: lint
	$(PYTEST)

# The models from events to their signals on a Spark of this machine alone, cell by cell as on DuckDB. Needs Java 17
# (apt-get install openjdk-17-jre-headless), and fails where it is missing.
$(SPARK)/.ready: requirements-spark.lock
	$(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-spark.lock
	@touch $@

test-spark: $(VENV)/.test-ready $(SPARK)/.ready
	RADAR_SPARK_ENVIRONMENT=$(SPARK) $(BIN)/python -m pytest tests/spark

# Files that are damaged in every way, landed for so many minutes; SEED=n tries the same ones again. What it finds is
# below var/fuzz, and CONTRIBUTING.md says how to keep it as a test.
MINUTES ?= 10
fuzz: $(VENV)/.test-ready
	@PYTHONPATH=. $(BIN)/python tests/landing/fuzz.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

# After an edit of seeds/: are the rules sound, are docs/rules.md and docs/signals.md up to date, does a run score as the rules say?
check-company: $(VENV)/.test-ready
	$(BIN)/python -m pytest -q tests/company

# docs/accuracy.md again: the last year of the demo company with the shipped seeds, and of SaaSGuard where its data is,
# with its own events and feeds; the same bytes for the same code (some minutes a company).
ACCURACY := var/accuracy
SAASGUARD ?= ../shared/data/saasguard
YEAR = $(BIN)/radar run --extracts $(1) --warehouse $(ACCURACY)/$(2)/warehouse.duckdb \
	--exports $(ACCURACY)/$(2)/exports --published $(ACCURACY)/$(2)/published --since $(3) --as-of $(4)
accuracy: $(VENV)/.ready
	@rm -rf $(ACCURACY)
	@$(BIN)/radar demo $(ACCURACY)/demo/extracts --days 540 --end 2026-06-30
	@$(call YEAR,$(ACCURACY)/demo/extracts,demo,2025-07-01,2026-06-30)
	@if test -d $(SAASGUARD)/extracts; then $(call YEAR,$(SAASGUARD)/extracts,saasguard,2025-03-14,2026-03-13) \
		--seeds tests/real_input/seeds_without_missing_feeds; fi
	@$(BIN)/python -m radar.measurement.accuracy $(ACCURACY) docs/accuracy.md

# On what make demo made, unless the RADAR_ variables name other places. Dagster's records are beside the warehouse,
# where radar run finds them.
dev: DAGSTER = $(abspath $(dir $(RADAR_WAREHOUSE)))/dagster
dev: export RADAR_EXTRACTS ?= $(CURDIR)/$(DEMO)/extracts
dev: export RADAR_WAREHOUSE ?= $(CURDIR)/$(DEMO)/warehouse.duckdb
dev: export RADAR_EXPORTS ?= $(CURDIR)/$(DEMO)/exports
dev: export RADAR_PUBLISHED ?= $(CURDIR)/$(DEMO)/published
dev: $(VENV)/.ready
	@mkdir -p $(DAGSTER) && cp orchestration/dagster.yaml $(DAGSTER)/dagster.yaml
	DAGSTER_HOME=$(DAGSTER) $(BIN)/dagster dev -h 127.0.0.1

bench: $(VENV)/.test-ready
	$(BIN)/python bench/run.py

# 100 million events of 100,000 accounts and how time grows with events, accounts, days and history: hours, and 100 GB
# of disk. The report is var/bench-large.md.
bench-large: $(VENV)/.test-ready
	$(BIN)/python bench/large.py

clean:
	rm -rf var $(VENV) .venv-lint $(SPARK)

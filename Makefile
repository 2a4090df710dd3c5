# The three commands of the README: make demo, make test, make dev. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINT := .venv-lint/bin
DEMO := var/demo

# No telemetry, whatever the tools' own defaults.
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DAGSTER_DISABLE_TELEMETRY := 1
export GX_ANALYTICS_ENABLED := false

.PHONY: demo panel test lint dev bench clean
.DEFAULT_GOAL := demo

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Radar needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	$(BIN)/python -m compileall -q -j 2 $(VENV)/lib || true
	$(BIN)/python -m orchestration.warm || true
	@touch $@

.venv-lint/.ready: requirements-lint.lock
	$(PYTHON) -m venv .venv-lint
	$(LINT)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-lint.lock
	@touch $@

# The demo company's newest day, and the 30 days before it, so that trends show.
demo: $(VENV)/.ready
	@test -d $(DEMO)/extracts || $(BIN)/radar demo $(DEMO)/extracts
	@$(BIN)/radar run --extracts $(DEMO)/extracts --warehouse $(DEMO)/warehouse.duckdb \
		--exports $(DEMO)/exports --published $(DEMO)/published --since 2026-05-31 --as-of 2026-06-30

# The panel on an invented company up to today; made once, in var/panel.
panel: $(VENV)/.ready
	@$(BIN)/radar panel --demo var/panel

lint: $(VENV)/.ready .venv-lint/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(LINT)/sqlfluff lint --disable-progress-bar --processes 2 dbt_project/models dbt_project/tests

test: lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# On what make demo made, unless the RADAR_ variables name other places.
dev: export RADAR_EXTRACTS ?= $(CURDIR)/$(DEMO)/extracts
dev: export RADAR_WAREHOUSE ?= $(CURDIR)/$(DEMO)/warehouse.duckdb
dev: export RADAR_EXPORTS ?= $(CURDIR)/$(DEMO)/exports
dev: export RADAR_PUBLISHED ?= $(CURDIR)/$(DEMO)/published
dev: $(VENV)/.ready
	@mkdir -p var/dagster && cp orchestration/dagster.yaml var/dagster/dagster.yaml
	DAGSTER_HOME=$(CURDIR)/var/dagster $(BIN)/dagster dev -h 127.0.0.1

bench: $(VENV)/.ready
	$(BIN)/python bench/run.py

clean:
	rm -rf var $(VENV) .venv-lint

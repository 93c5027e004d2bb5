# A machine with Python 3.11 or newer and make needs nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
GRAPHIQL := frontend/graphiql
PAGE := blog_graphql/_graphiql/index.html
# The machine's own, or else the one of a wheel.
NPM := $(or $(shell command -v npm 2> /dev/null),$(BIN)/npm)
RUN_NPM := cd $(GRAPHIQL) && PATH="$(dir $(abspath $(NPM))):$$PATH" npm --loglevel error
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help run test check format schema graphiql graphiql-if-possible lock clean

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: graphiql-if-possible ## Serve the blog, on a demo blog to begin with; BLOG_* and .env are honoured
	@exec $(BIN)/blog-graphql serve

test: $(VENV)/installed-dev graphiql-if-possible ## Run every test, on SQLite and PostgreSQL, and report the coverage
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest --numprocesses auto
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

check: $(VENV)/installed-dev ## Check style, types, layers, dependencies and the schema file
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pip check
	@$(BIN)/blog-graphql export-schema | diff schema.graphql - \
		|| { echo "schema.graphql is stale: run make schema" >&2; exit 1; }

format: $(VENV)/installed-dev ## Format the code and mend what can be mended by itself
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

schema: $(VENV)/installed ## Write schema.graphql anew
	@$(BIN)/blog-graphql export-schema --output schema.graphql

graphiql: $(PAGE) ## Build the GraphiQL page

graphiql-if-possible: $(VENV)/installed
	@$(MAKE) --silent graphiql \
		|| echo "GraphiQL was not built: its address will say how. All else works." >&2

lock: $(VENV)/installed | $(NPM) ## Lock the newest versions that pyproject.toml allows
	@$(PIP) uv
	@$(LOCK) pyproject.toml --output-file requirements.txt
	@$(LOCK) --group build --output-file requirements-build.txt
	@$(LOCK) --group node --output-file requirements-node.txt
	@$(LOCK) pyproject.toml --group dev --output-file requirements-dev.txt
	@$(RUN_NPM) run lock

clean: ## Remove the environment and everything made by tools; blog.db stays
	@rm -rf $(VENV) $(GRAPHIQL)/node_modules tests/clients/node_modules $(dir $(PAGE)) build dist .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	@find blog_graphql tests alembic -name __pycache__ -type d -prune -exec rm -rf {} +

# The files below say what an environment holds: it is installed anew only when a list changes.

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or newer is needed, and $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." \
		% sys.version_info[:2])'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/installed: $(VENV)/bin/python requirements.txt requirements-build.txt pyproject.toml
	@echo "Installing into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements.txt -r requirements-build.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	@echo "Installing the tools for development ..."
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

$(BIN)/npm: $(VENV)/bin/python requirements-node.txt
	@echo "Installing Node.js into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements-node.txt
	@touch $@

# npm writes this file when it is done.
$(GRAPHIQL)/node_modules/.package-lock.json: $(addprefix $(GRAPHIQL)/,package.json package-lock.json .npmrc) | $(NPM)
	@echo "Building GraphiQL ..."
	@$(RUN_NPM) ci > /dev/null

$(PAGE): $(GRAPHIQL)/node_modules/.package-lock.json $(shell find $(GRAPHIQL) -name node_modules -prune -o -type f -print)
	@$(RUN_NPM) run --silent build

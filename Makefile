# The project's verbs. Each makes what it needs from a bare clone: only Python ≥ 3.11 must be there.

SHELL := /bin/bash
BIN := .venv/bin
WORKERS ?= 2
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types layers docs house bench validate lock clean venv venv-dev

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: venv ## a made-up patient from CT to report, then a demo clinic with that report on a patient's record
	$(BIN)/vertebro demo -o demo-output
	@tools/demo_clinic.sh

test: venv-dev ## the whole test suite, with every example in the docstrings
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --doctest-modules src/vertebro tests

check: lint types layers docs house ## lint, types, layers, documentation build, house rules

lint: venv-dev ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: venv-dev ## mypy --strict
	$(BIN)/mypy

layers: venv-dev ## who may import whom (docs/explanation/architecture.md)
	$(BIN)/lint-imports

docs: venv-dev ## the documentation, in docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "Documentation: $(CURDIR)/docs/_build/html/index.html"

house: venv-dev ## tests of the house rules alone
	$(BIN)/pytest tests/house -m "not slow"

bench: venv-dev ## time and memory, printed and kept in benchmarks/results/local/
	$(BIN)/python -m benchmarks

validate: venv-dev ## comparison with published work, written to docs/validation/ (slow)
	$(BIN)/python -m validation

lock: ## pin all requirements anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv, which resolves and pins the requirements: pip install uv" >&2; exit 1; }
	uv lock
	uv export --frozen --quiet --no-emit-project --no-header --no-default-groups --group build --extra clinic -o requirements.lock
	uv export --frozen --quiet --no-emit-project --no-header --extra clinic -o requirements-dev.lock

clean: ## remove what was built (not .venv)
	rm -rf docs/_build docs/generated demo-output benchmarks/results/local build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests tools benchmarks validation docs -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@tools/ensure_venv.sh runtime

venv-dev:
	@tools/ensure_venv.sh dev

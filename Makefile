# Two commands matter: `make dashboard` runs the course, `make test` proves it. Each does all
# its own set-up in .venv; a stamp per set-up makes the second call quick.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
PORT ?= 8866
PYTEST_ARGS ?=
CAPTURE ?= --list
SETUP := pyproject.toml tools/make_venv.sh

.PHONY: help dashboard lab test lint bench capture clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.made-dashboard: $(SETUP)
	@tools/make_venv.sh $(VENV) '.[dashboard]'
	@touch $@

$(VENV)/.made-dev: $(SETUP)
	@tools/make_venv.sh $(VENV) '.[dashboard,export,dev]'
	@touch $(VENV)/.made-dashboard $@

dashboard: $(VENV)/.made-dashboard ## start the dashboard on this machine, print and open its address
	@$(VENV)/bin/hotmem-viz dashboard --port $(PORT)

lab: $(VENV)/.made-dashboard ## open the notebooks in JupyterLab
	@$(VENV)/bin/hotmem-viz lab

test: $(VENV)/.made-dev ## everything: style, types, tests in Python, JavaScript and a browser
	@$(PY) tools/ensure_browser.py
	@$(MAKE) --no-print-directory lint
	@$(PY) -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.made-dev ## style and types
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy

bench: $(VENV)/.made-dev ## the budgets, as ratios
	@$(PY) -m benchmarks

capture: $(VENV)/.made-dashboard ## boot a Debian kernel and capture it: make capture CAPTURE="NAME --out FOLDER"
	@$(PY) -m tools.capture $(CAPTURE)

clean: ## remove what the commands above made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# make demo   restores a bundled sample clip into demo/
# make test   runs the tests
# Both set up .venv by themselves; plain pip commands are in README.md.

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
WORKERS ?= 2

.PHONY: help demo test lint format clean

help:
	@echo "make demo    restore a bundled sample clip into demo/"
	@echo "make test    run the tests"
	@echo "make lint    check style, types and who imports whom"
	@echo "make format  put the code into its style"
	@echo "make clean   remove what make demo and the tools leave behind"

demo: $(VENV)/.installed
	@$(BIN)/python tools/demo.py demo

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf demo build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis src/*.egg-info

$(VENV)/bin/python:
	@for python in "$${PYTHON:-python3}" python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	    echo "setting up $(VENV) with $$("$$python" --version)"; "$$python" -m venv $(VENV) && exit 0; exit 1; \
	  fi; \
	done; \
	echo "ReelMend needs Python 3.11, 3.12 or 3.13; name one: make PYTHON=/path/to/python3.12 ..." >&2; exit 1

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing ReelMend into $(VENV)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing ReelMend and its test tools into $(VENV)"
	@$(PIP) -e ".[dev]"
	@touch $(VENV)/.installed $@

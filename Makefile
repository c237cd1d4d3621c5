# Every target works in a fresh clone on a machine with python3, make and a C compiler.
# What is installed lives in .venv; a second run finds it there and starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOMS := schemas engines annotators verifiers labels transforms pipelines
CODE := $(ROOMS) src tests benchmarks examples setup.py
DEMO := demo-output
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types format bench train-bundled clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: setup.py pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing steplabel into $(VENV) (once; about two minutes)"
	@$(PIP) 'pip>=24' 'setuptools>=77' wheel
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing the development tools into $(VENV) (once)"
	@$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@

.links: $(VENV)/.installed-dev
	@$(BIN)/python tests/link_tree.py .links

demo: $(VENV)/.installed ## Label generated problems with the bundled model, two ways, and measure both
	@$(BIN)/python examples/demo.py $(DEMO)

test: $(VENV)/.installed-dev ## Run every test that needs no GPU
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not gpu" --cov --cov-report=term:skip-covered

lint: $(VENV)/.installed-dev ## Style and formatting
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: .links ## Static types, strict
	$(BIN)/mypy

check: lint types test ## What CI runs: lint, types, tests

format: $(VENV)/.installed-dev ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

bench: $(VENV)/.installed-dev ## Measure what the documentation claims
	$(BIN)/python benchmarks/label_quality.py
	$(BIN)/python benchmarks/answers.py
	$(BIN)/python benchmarks/driver.py
	$(BIN)/python benchmarks/engines.py

train-bundled: $(VENV)/.installed ## Train the bundled model again (CPU, about an hour on two cores; resumable)
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m steplabel.engines.bundled.train --out .work/bundled --seed 0 --steps 4000 --compile

clean: ## Remove everything that was installed or generated
	rm -rf $(VENV) .links .work $(DEMO) build dist *.egg-info src/*.egg-info .coverage .hypothesis .mypy_cache .ruff_cache

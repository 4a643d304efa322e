# Two commands are all a fresh machine needs: `make serve` and `make test`. `make help` lists the others.
VENV ?= .venv
BIN := $(VENV)/bin
# PYTHON=/path/to/python chooses another.
PYTHON ?= $(firstword $(foreach version,3.11 3.12 3.13,$(shell which python$(version) 2>/dev/null)))
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
# Two processes; tests that share models or a service stay in one, and the longest begin (tests/conftest.py).
PARALLEL := --numprocesses 2 --dist loadgroup --no-loadscope-reorder

.PHONY: help serve worker test fast lint bench lock fuzz hooks clean

help:  ## Lists the commands.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# A stamp per set of extras: pip runs again only when pyproject.toml or constraints.txt changed.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed and none is here: install one, or give PYTHON=/path/to/python." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13: give PYTHON=/path/to/one." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.serve: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[cpu,generate]'
	touch $@

# torch for CUDA is 5 GB: without a GPU, the index of torch's own site has a smaller one.
TORCH_INDEX ?= $(if $(shell which nvidia-smi 2>/dev/null),,--extra-index-url https://download.pytorch.org/whl/cpu)

$(VENV)/.train: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) $(TORCH_INDEX) --editable '.[cpu,generate,train]'
	touch $@ $(VENV)/.serve

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[cpu,generate,train,test,dev]'
	@# For one test, which skips without it.
	-npm install --silent --fetch-timeout 60000 --fetch-retries 1 --global --prefix $(VENV)/npm openapi-typescript@7.13.0 typescript@5.9.3
	touch $@ $(VENV)/.serve $(VENV)/.train

$(VENV)/.bench: $(VENV)/.test
	$(INSTALL) --no-deps resemblyzer==0.1.4
	touch $@

serve: $(VENV)/.serve  ## Installs and starts the service on http://127.0.0.1:8000.
	$(BIN)/python -m service serve --worker

worker: $(VENV)/.train  ## Installs torch too, and runs fine-tuning jobs, training steps included.
	$(BIN)/python -m service worker

test: $(VENV)/.test  ## Installs everything and runs every test.
	$(PYTEST) $(PARALLEL)

fast: $(VENV)/.test  ## The tests that need no other process, no Redis, no corpus and no long training.
	$(PYTEST) $(PARALLEL) -m "not (process or redis or speech or slow)"

lint: $(VENV)/.test  ## ruff, the formatter's check, mypy --strict.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.bench  ## Measures speed, into docs/performance.md.
	$(BIN)/python -m benchmarks

lock: $(BIN)/python  ## Writes constraints.txt anew: the newest version of each package that pyproject.toml allows.
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --no-annotate --upgrade \
	  --custom-compile-command 'make lock' --output-file constraints.txt

CASES ?= 20000

fuzz: $(VENV)/.test  ## Sends a service CASES random requests and damaged recordings (20000 of each by default).
	$(BIN)/python -m benchmarks fuzz --requests $(CASES) --recordings $(CASES)

hooks: $(VENV)/.test  ## Runs ruff and mypy before each commit.
	$(BIN)/pre-commit install

clean:  ## Removes what was installed.
	rm -rf $(VENV) build *.egg-info

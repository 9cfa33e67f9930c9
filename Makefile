# Two commands for a newcomer: `make rehearse` and `make test`. The rest is what CI calls.
PYTHON ?= python3
SAMPLE ?= examples/dangerous.yaml
BIN := .venv/bin

.PHONY: help rehearse test check mutate bench benchmark whatif locks clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

rehearse: .venv/main.done  ## set everything up, then rehearse staging with a sample change; report in out/
	@$(BIN)/tollgate rehearse staging --what-if $(SAMPLE) --no-checkov; code=$$?; \
	case $$code in \
	0|2|3) echo "The rehearsal worked; the decision's exit code was $$code. Open out/report.html";; \
	*) exit $$code;; \
	esac

test: .venv/dev.done  ## run all tests
	$(BIN)/python -m pytest -n auto --dist loadfile --durations=15 --durations-min=10

check: .venv/dev.done  ## lint, types and the house rules on imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

mutate: .venv/dev.done  ## change each condition of the rules: a test must notice
	$(BIN)/python -m tests.mutation

bench: .venv/dev.done  ## measure; figures go to docs/reference/performance.md
	$(BIN)/python -m tests.bench

benchmark: .venv/dev.done  ## record every labelled change through the engine, judge them, write docs/reference/benchmark.md
	$(BIN)/python -m tests.benchmark
	$(BIN)/python -m pytest tests/benchmark

whatif: .venv/dev.done  ## record the changes in examples/ through the engine (half an hour), write docs/reference/what-if.md
	$(BIN)/python -m tests.whatif

locks:  ## renew the hashed locks (needs uv)
	@for lock in requirements/main.txt requirements/dev.txt tollgate/scan/checkov.txt; do \
	  name=$$(basename $$lock .txt); uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url -q \
	    --custom-compile-command "make locks" requirements/$$name.in -o $$lock || exit 1; \
	done

clean:  ## remove what was made here; the user's cache folder stays
	rm -rf .venv out

.venv/main.done: requirements/main.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 rehearse"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "No virtual environment could be made. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked packages into .venv (about a minute the first time)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/main.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.done: .venv/main.done requirements/dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

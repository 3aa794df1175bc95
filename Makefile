# Two commands matter to a newcomer: `make demo` and `make test`. Both set up what they need first.
SHELL := /bin/bash
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

# Some machines switch it off; a hub is seven processes, and compiling it anew at each start is what they would wait for.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test coverage unit lint fmt bench side-by-side chaos round-trips docs lock clean
help:            ## This list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.runtime: requirements/runtime.lock scripts/venv.sh scripts/install_lock.sh pyproject.toml
	@bash scripts/venv.sh "$(PYTHON)" "$(VENV)" requirements/runtime.lock
	@touch $@
$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	@bash scripts/venv.sh "$(PYTHON)" "$(VENV)" requirements/dev.lock
	@touch $@
# That an old pip takes the lock files is looked at again when one of these changes.
$(VENV)/.lock: requirements/dev.lock scripts/install_lock.sh scripts/check_lock.py | $(VENV)/.dev
	@$(BIN)/python -m scripts.check_lock
	@touch $@

demo: $(VENV)/.runtime  ## The main job, end to end, on embedded defaults
	@$(BIN)/hocba-hub demo

# Three at once, on two cores as well: tests of whole hubs wait for half of their time.
test: $(VENV)/.dev      ## Every test, with the short form of the kill tests
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -q

coverage: $(VENV)/.dev  ## As test, and which lines and branches no test reaches
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered -q

unit: $(VENV)/.dev      ## The tests without I/O
	@$(BIN)/python -m pytest -q tests/unit

lint: $(VENV)/.dev $(VENV)/.lock  ## Static checks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m scripts.check_generated

fmt: $(VENV)/.dev       ## Put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/.dev      ## Write the generated documents again
	@$(BIN)/python -m scripts.check_generated --write

bench: $(VENV)/.dev     ## Measure speed; fails where a target is missed (see bench/README.md)
	@$(BIN)/python -m bench

side-by-side: $(VENV)/.dev .venv-peers/.peers  ## Measure the hub beside the queues that a team would pick instead
	@$(BIN)/python -m bench side-by-side
.venv-peers/.peers: requirements/peers.lock scripts/install_lock.sh
	@$(PYTHON) -m venv .venv-peers && bash scripts/install_lock.sh .venv-peers/bin/python requirements/peers.lock --quiet
	@touch $@

chaos: $(VENV)/.dev     ## The long form of the kill, fault and fuzz tests
	@HOCBA_CHAOS=long $(BIN)/python -m pytest -q tests/chaos tests/hostile tests/contract/api/test_api_fuzz.py tests/contract/queue/test_school_year.py tests/contract/queue/test_long_outage.py

round-trips: $(VENV)/.dev  ## 10,000 cards through each vendor's format and back
	@HOCBA_ROUND_TRIP=10000 $(BIN)/python -m pytest -q -n 2 --dist load tests/unit/sandbox/test_vendor_round_trip.py tests/unit/adapters/test_workbook_round_trip.py
	@HOCBA_ROUND_TRIP=1000 $(BIN)/python -m pytest -q -n 2 --dist load tests/unit/intake/test_new_formats.py

lock: $(VENV)/.dev      ## Choose the pinned versions anew (needs uv)
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements/runtime.lock
	uv pip compile -q pyproject.toml --extra dev --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements/dev.lock
	uv pip compile -q requirements/peers.in --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements/peers.lock

clean:           ## Remove everything that was installed or generated
	rm -rf $(VENV) .venv-peers .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage* build *.egg-info

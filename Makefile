# The few commands of the repository. `make demo` and `make test` need nothing but Python 3.11 or later and a package index.
PYTHON ?= python3
VENV   ?= .venv
JOBS   ?= 2
MARKERS ?= not slow and not peer

bin := $(VENV)/bin
pip := $(bin)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test test-all examples lint bench wheel clean

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/installed-demo ## Install into .venv and run the flagship trial
	@$(bin)/netarium run interference-ab

test: $(VENV)/installed-test ## Run the tests, without the slow ones
	@$(bin)/python -m pytest -n $(JOBS) -m "$(MARKERS) and not emulate" $(PYTEST_ARGS)
	@$(bin)/python -m pytest -m "$(MARKERS) and emulate" $(PYTEST_ARGS)  # by themselves: their clock is the wall's

test-all: MARKERS = not peer
test-all: test ## Run all tests, the slow ones too

examples: $(VENV)/installed-test ## Run every bundled trial and meet its expectations
	@for name in $$($(bin)/netarium run --list); do \
	   case "$$name" in real-*) [ "$$(id -u)" -eq 0 ] || { echo "== $$name needs root"; continue; };; esac; \
	   echo "== $$name"; $(bin)/netarium run "$$name" --quiet || exit 1; done

lint: $(VENV)/installed-test ## Style and import rules
	@$(bin)/ruff check .
	@$(bin)/ruff format --check .
	@$(bin)/lint-imports --no-cache

bench: $(VENV)/installed-test ## Measure the engine on this machine
	@$(bin)/python -m bench

wheel: $(VENV)/installed-demo ## Build the wheel into dist/
	@$(pip) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean: ## Remove the virtual environment and everything built; runs are kept
	rm -rf $(VENV) dist build .pytest_cache .ruff_cache .hypothesis

# Installed again when the requirements change; an edit of the sources needs no installation.
$(VENV)/installed-%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "netarium needs Python 3.11 or later; name one with: make PYTHON=python3.x $*"; exit 1; }
	@echo "Installing netarium into $(VENV) (once; about a minute)"
	@test -x $(bin)/python || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(pip) install --quiet -c constraints.txt hatchling editables
	@$(pip) install --quiet -c constraints.txt --no-build-isolation -e '.[data$(if $(filter test,$*),$(comma)test)]'
	@touch $@

comma := ,

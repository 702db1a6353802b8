# Every target sets up .venv by itself (plain Python 3.11+ and pip are enough) and reuses it.
PYTHON ?= python3
RUN := .venv/bin
PYTEST := $(RUN)/python -m pytest
# Three on two cores: each waits now and then.
BESIDE := -n 3 --dist worksteal
.DEFAULT_GOAL := help
# pytest keeps the tests that it has rewritten; a container may have this set.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo up test check day format bench bench-serving slack-crosscheck screenshots install install-dev base clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: install ## Watch an assistant learn: serve, correct, retrain, judge, promote (about 15 minutes)
	@$(RUN)/understudy demo

up: install ## Start everything on this machine; Ctrl-C stops it
	@$(RUN)/understudy up

test: install-dev lint ## Everything: lint, types, all tests with the real engine (about 15 minutes)
	@echo "▸ Running the tests that may run beside each other"
	@$(PYTEST) -q $(BESIDE) -m "not alone"
	@echo "▸ Running those that want the machine for themselves: the real engine, real training"
	@$(PYTEST) -m alone
	@echo "▸ All green. Next: make demo"

check: install-dev lint ## The fast part: lint, types, fast tests on SQLite (under two minutes)
	@echo "▸ Running the fast tests"
	@$(PYTEST) -q $(BESIDE) -m "not slow and not postgres" --hypothesis-profile quick
	@echo "▸ All green. Next: make test (adds PostgreSQL and the real engine), or make demo"

day: install-dev ## A day of ten agents and 500 escalations with a misbehaving Slack; counts what was lost or doubled
	@UNDERSTUDY_DAY_ESCALATIONS=500 $(PYTEST) -q -s tests/bot/test_scripted_day.py
	@echo "▸ Nothing was lost or doubled"

.PHONY: lint
lint:
	@echo "▸ ruff and mypy"
	@$(RUN)/ruff check . && $(RUN)/ruff format --check . && $(RUN)/mypy

format: install-dev ## Format the code and mend what ruff can mend
	@$(RUN)/ruff format . && $(RUN)/ruff check --fix .
	@echo "▸ Formatted. Next: make check"

bench: install-dev bench-serving ## Print all benchmarks' tables (about 25 minutes; keep the machine idle)
	@for file in benchmarks/*.py; do echo "▸ $$file"; \
	  $(RUN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done

bench-serving: install ## The gateway against LiteLLM and a bare relay, before a stub and before vLLM
	@for part in throughput streaming real_engine switching event_streams; do \
	  echo "▸ $$part"; $(RUN)/python -m benchmarks.serving.$$part || exit 1; done

slack-crosscheck: install ## The bot before an emulator of Slack that npm fetches; it listens on every address
	@npm install --silent --no-save --prefix var/slack-crosscheck local-slack-linux-x64@0.1.8
	@$(RUN)/python -m deploy.slack.crosscheck

screenshots: install-dev ## Take the pictures of docs/slack.md anew (a minute; needs Debian's chromium)
	@$(RUN)/python deploy/demo/screenshots.py

base: install ## Train the bundled base model again (half an hour on two cores)
	@$(RUN)/python deploy/demo/build_base.py

install:
	@$(PYTHON) deploy/install.py

install-dev:
	@$(PYTHON) deploy/install.py --dev

clean: ## Remove .venv, .venv-bench and all state in ./var
	rm -rf .venv .venv-bench var

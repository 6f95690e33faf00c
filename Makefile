# Two commands to begin with: make demo, make test. Both install what is missing first.
PYTHON = .venv/bin/python
.DEFAULT_GOAL = help
.PHONY: messages openapi help install demo demo-reset demo-status stack-up stack-down test lint bench look clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

install: ## Install Debian's packages and the virtual environment
	@deploy/install.sh

demo: install ## Run the whole system on 127.0.0.1, prove that mail works, stay until Ctrl-C
	@exec $(PYTHON) -m stack demo

demo-reset: install ## Delete the demo's data; the next demo starts over
	@$(PYTHON) -m stack reset

demo-status: ## Say which stacks of this clone run, and where
	@$(PYTHON) -m stack status

stack-up: install ## Leave a test stack running, so that pytest -k begins at once
	@$(PYTHON) -m stack up

stack-down: ## Stop the test stack
	@$(PYTHON) -m stack down

test: install lint ## Lint, then every test against the real daemons
	@$(PYTHON) -m pytest -n 2

lint: install ## Style, imports, spelling, dependencies
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/lint-imports --no-cache >/dev/null || .venv/bin/lint-imports --no-cache
	@.venv/bin/codespell
	@.venv/bin/deptry . >/dev/null 2>&1 || .venv/bin/deptry .

bench: install ## Speed as ratios to a floor measured in the same run
	@$(PYTHON) -m bench

openapi: install ## Write docs/openapi.json after a change of the API that is meant
	@MAILHOST_SECRET_KEY=none $(PYTHON) manage.py openapi docs/openapi.json

messages: install ## Write locale/*/LC_MESSAGES/django.po anew from the texts of templates and Python
	@MAILHOST_SECRET_KEY=none $(PYTHON) manage.py makemessages --all --no-wrap --add-location file \
	  --ignore .venv --ignore var --ignore tests --ignore bench
	@deploy/install.sh venv

look: install ## Pictures of every page in var/screenshots/
	@$(PYTHON) -m tests.look

clean: ## Delete caches; the demo's data and .venv stay
	@rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache var/static var/failed
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# The commands of the project. Each installs what it needs.
.PHONY: help new-service demo test scenarios stories faults up down synth check bench iam-usage iam clean setup unit service integration

VENV := .venv
PYTHON := $(VENV)/bin/python
# The machine's Python, which only creates the virtual environment.
BASE_PYTHON ?= python3
SUFFIX ?= dev
# The port of local_aws.
PORT ?= 4566
ARGS ?=

# Node.js, the CDK CLI's `python3` and the AWS CLI are all in the virtual environment.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export UV_NO_PROGRESS := 1
# Compiled once, the CDK and MiniStack load in a fraction of the time.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo 'Run it on this machine:'
	@echo '  make demo         deploy, release a commit under load, destroy, with a live view'
	@echo '  make up           deploy SUFFIX=$(SUFFIX) on local_aws (PORT=$(PORT)) and keep it running, with a dashboard'
	@echo '  make down         destroy every environment that make up deployed, and stop local_aws'
	@echo '  make iam-usage    print what each role is granted, and what a release used of it'
	@echo
	@echo 'Test it (ARGS goes to pytest):'
	@echo '  make check        ruff, mypy, cfn-lint, cdk-nag, IAM rules, actionlint, hadolint'
	@echo '  make test         unit tests, the service on Python 3.9, the fast scenarios'
	@echo '  make scenarios    the slow scenarios: every gate, other accounts, ten releases in a row'
	@echo '  make faults       faults during a release, and local_aws killed in each phase'
	@echo '  make bench        measure times, throughput and memory'
	@echo
	@echo 'Change it:'
	@echo '  make synth        synthesize the templates of SUFFIX=$(SUFFIX) into cdk.out'
	@echo '  make new-service  add a service to the catalogue: make new-service NAME=orders'
	@echo '  make clean        remove everything that these commands created here'

demo: setup .tools/python-3.9
	@$(PYTHON) -m harness demo

up: setup .tools/python-3.9
	@$(PYTHON) -m harness up --port $(PORT) --suffix '$(SUFFIX)'

down: setup
	@$(PYTHON) -m harness down

bench: setup .tools/python-3.9 .tools/sample-service/.ready
	@$(PYTHON) -m benchmarks

iam-usage: setup .tools/python-3.9
	@$(PYTHON) -m harness iam-usage

iam:
	@echo 'make iam is now make iam-usage' >&2
	@$(MAKE) --no-print-directory iam-usage

new-service: setup
	@$(PYTHON) -m tools.new_service '$(NAME)'

synth: setup
	@rm -rf cdk.out
	@node_modules/.bin/cdk synth --quiet --no-notices -c environmentSuffix=$(SUFFIX)
	@$(PYTHON) -m tools.template_limits

test: unit service integration

# What these are about is not the containers: those that are make their own engine.
unit: export LOCAL_AWS_CONTAINERS := processes
unit: setup .tools/browser/.ready .tools/sample-service/.ready
	$(PYTHON) -m pytest unit_tests -n auto --maxprocesses 4 $(ARGS)

# Those of the catalogue, too: each with its own requirements.
SERVICES := $(notdir $(wildcard services/*))

service: .tools/sample-service/.ready $(SERVICES:%=service-%)
	.tools/sample-service/bin/python -m pytest sample_service

service-%: .tools/services/%/.ready
	.tools/services/$*/bin/python -m pytest services/$*/service

integration: setup .tools/python-3.9
	$(PYTHON) -m pytest integration_tests -m 'not slow' -n 2 --dist loadfile $(ARGS)

# Faults of a release, and of local_aws itself.
FAULTS := integration_tests/faults integration_tests/test_kill_and_restart.py

# The longest first, so that the workers end together. By name, since pytest orders the files of a folder itself.
LONGEST := $(addprefix integration_tests/test_,gates.py releases.py catalogue.py first_steps.py two_environments.py runbook.py promotion.py changes.py)
SCENARIOS := $(LONGEST) $(filter-out $(LONGEST) $(FAULTS),$(wildcard integration_tests/test_*.py integration_tests/pitfalls/test_*.py))

scenarios: setup .tools/python-3.9
	$(PYTHON) -m pytest $(SCENARIOS) -m slow -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

stories:
	@echo 'make stories is now make scenarios' >&2
	@$(MAKE) --no-print-directory scenarios

faults: setup .tools/python-3.9
	$(PYTHON) -m pytest $(FAULTS) $(ARGS)

check: setup .tools/sample-service/.ready
	ruff check .
	ruff format --check .
	mypy app.py infrastructure tools operations local_aws harness integration_tests benchmarks unit_tests
	cd sample_service && mypy --strict --python-executable ../.tools/sample-service/bin/python .
	$(MAKE) --no-print-directory synth
	$(PYTHON) -m tools.assembly cdk.out/every-option
	cfn-lint cdk.out/*.template.json cdk.out/every-option/*.template.json
	$(PYTHON) -m tools.nag
	$(PYTHON) -m tools.iam_docs --check
	$(PYTHON) -m local_aws.server.api_coverage --check
	$(PYTHON) -m tools.diagram --check
	$(PYTHON) -m tools.cost --check
	actionlint lib/ci-cd.yml
	hadolint Dockerfile

# A browser for the tests of pages, unless the machine has one.
.tools/browser/.ready: integration_tests/support/browser/package.json integration_tests/support/browser/package-lock.json integration_tests/support/browser/open_page.mjs | setup
	@mkdir -p .tools/browser/tmp
	@cp $^ .npmrc .tools/browser
	$(VENV)/bin/npm ci --silent --prefix .tools/browser
	@touch $@

clean:
	@if [ -e $(VENV)/.ready ]; then $(PYTHON) -m harness down; fi
	rm -rf $(VENV) node_modules cdk.out .tools .local_aws evidence .mypy_cache .ruff_cache .pytest_cache

# Setting up: everything is locked by hash, nothing needs root, and nothing happens when nothing changed.
setup: $(VENV)/.ready

$(VENV)/.ready: requirements/uv.txt requirements/dev.txt package.json package-lock.json .npmrc
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'setup: python3 is missing or older than 3.11: install Python 3.11 or newer, or name one: make BASE_PYTHON=python3.12' >&2; exit 2; }
	@$(BASE_PYTHON) -m venv $(VENV) >/dev/null || { \
	  echo 'setup: python3 cannot make a virtual environment: install python3-venv' >&2; exit 2; }
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(VENV)/bin/uv pip sync --quiet --python $(PYTHON) --require-hashes requirements/dev.txt
	$(VENV)/bin/npm ci --silent
	@touch $@

FIND_3_9 := $(PYTHON) -c 'from local_aws.host.interpreters import find_python; print(find_python("3.9"))'

# The sample service's Python: the machine's own, else one that uv fetches.
.tools/python-3.9: | setup
	@mkdir -p .tools
	@$(FIND_3_9) > $@.new 2>/dev/null || $(VENV)/bin/uv python install --quiet 3.9 && $(FIND_3_9) > $@.new || { \
	  echo 'setup: no Python 3.9 here, and uv could not fetch one: install it (pyenv install 3.9, or your system)' >&2; exit 2; }
	@mv $@.new $@

define service_environment
$(VENV)/bin/uv venv --quiet --clear --python "$$(cat .tools/python-3.9)" $(@D)
$(VENV)/bin/uv pip sync --quiet --python $(@D)/bin/python --require-hashes $<
@touch $@
endef

.tools/sample-service/.ready: sample_service/requirements-dev.txt .tools/python-3.9
	$(service_environment)

.PRECIOUS: .tools/services/%/.ready
.tools/services/%/.ready: services/%/service/requirements-dev.txt .tools/python-3.9
	$(service_environment)

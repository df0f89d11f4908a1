# The commands of the project. Each installs what it needs.
.PHONY: help new-service remove-service check-service lock demo test scenarios stories faults rehearsal short-rehearsal up down synth check bench soak iam-usage iam clean setup
.PHONY: engines short-engines advisories sbom fidelity unit service integration coverage hooks lint types limits locks github templates docs

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
	@echo '  make check        ruff, mypy, complexity, locks, actionlint, hadolint, cfn-lint, cdk-nag, IAM rules'
	@echo '  make test         unit tests, the service on Python 3.9, the fast scenarios'
	@echo '                    its parts: make unit, make service, make service-orders, make integration'
	@echo '  make coverage     unit tests with branch coverage; fails below the figure in pyproject.toml'
	@echo '  make scenarios    the slow scenarios: every gate, other accounts, five releases in a row'
	@echo '  make faults       faults during a release, and local_aws killed in each phase'
	@echo '  make rehearsal    pytest --live where AWS'\''s names lead to local_aws, and what can go wrong in it'
	@echo '                    make short-rehearsal: its first scenario only'
	@echo '  make engines      the same tasks on an own Docker Engine, on podman and as processes, and what differs (as root)'
	@echo '                    make short-engines: a part of it, on one engine'
	@echo '  make fidelity     measure what local_aws refuses of what AWS refuses, and write it into docs/local-aws.md'
	@echo '  make bench        measure times, throughput and memory (ARGS="--against FILE": compare with an earlier run)'
	@echo '  make soak         release three services for two hours under load, then deploy 30 environments'
	@echo
	@echo 'Bring a service (without NAME, the last two are about the sample):'
	@echo '  make new-service      add NAME=orders to the catalogue, as a copy of the sample'
	@echo '  make remove-service   delete the folder and the entry of NAME=orders'
	@echo '  make check-service    build and try NAME=orders as its pipeline will, in a minute'
	@echo '  make lock             write the requirements of NAME=orders, after a change of its pyproject.toml'
	@echo
	@echo 'Change it:'
	@echo '  make synth        synthesize the templates of SUFFIX=$(SUFFIX) into cdk.out'
	@echo '  make hooks        let git run the parts of make check that a commit or a push concerns'
	@echo '  make docs         write the generated pages of docs/'
	@echo '  make sbom         list what is installed, as CycloneDX, in sbom/'
	@echo '  make advisories   fetch the advisories of what the services pin, for the audit of the pipelines'
	@echo '  make clean        remove everything that these commands created here'
	@echo
	@echo 'After "Error 1", something is wrong or has failed; after "Error 2", it cannot be done, and one line says why.'

demo: setup .tools/python-3.9
	@$(PYTHON) -m harness demo

up: setup .tools/python-3.9
	@$(PYTHON) -m harness up --port $(PORT) --suffix '$(SUFFIX)'

check-service: setup .tools/python-3.9
	@$(PYTHON) -m harness check-service '$(or $(NAME),sample-service)'

down: setup
	@$(PYTHON) -m harness down

bench: setup .tools/python-3.9 .tools/sample-service/.ready
	@$(PYTHON) -m benchmarks $(ARGS)

soak: setup .tools/python-3.9
	@$(PYTHON) -m benchmarks soak $(ARGS)
	@$(PYTHON) -m benchmarks scale

iam-usage: setup .tools/python-3.9
	@$(PYTHON) -m harness iam-usage

iam:
	@echo 'make iam is now make iam-usage' >&2
	@$(MAKE) --no-print-directory iam-usage

new-service: setup
	@$(PYTHON) -m tools new-service '$(NAME)'

remove-service: setup
	@$(PYTHON) -m tools remove-service '$(NAME)'

lock: setup
	@$(PYTHON) -m tools lock '$(or $(NAME),sample-service)'

synth: setup
	@rm -rf cdk.out
	@node_modules/.bin/cdk synth --quiet --no-notices -c environmentSuffix=$(SUFFIX)
	@$(PYTHON) -m tools template-limits

test: unit service integration

# Four workers also on two processors: many tests wait. With worksteal, a worker runs neighbours, which share fixtures.
UNIT := $(PYTHON) -m pytest unit_tests -n 4 --dist worksteal

# What these are about is not the containers: those that are make their own engine.
unit coverage: export LOCAL_AWS_CONTAINERS := processes
unit coverage: setup .tools/browser/.ready .tools/sample-service/.ready

unit:
	$(UNIT) $(ARGS)

# [tool.coverage] in pyproject.toml says what is measured, and below which figure this fails.
coverage:
	$(UNIT) --cov --cov-report=term $(ARGS)

# How far local_aws refuses what AWS refuses, by calls and by templates. It writes the tables into docs/local-aws.md.
fidelity: export LOCAL_AWS_CONTAINERS := processes
fidelity: setup
	$(PYTHON) -m pytest --quiet unit_tests/local_aws/fidelity $(ARGS)
	@$(PYTHON) -m unit_tests.local_aws.fidelity
	$(PYTHON) -m unit_tests.local_aws.template_mutations

# Those of the catalogue, too: each with its own requirements.
SERVICES := $(notdir $(wildcard services/*))

service: .tools/sample-service/.ready $(SERVICES:%=service-%)
	.tools/sample-service/bin/python -m pytest sample_service

service-%: .tools/services/%/.ready
	.tools/services/$*/bin/python -m pytest services/$*/service

integration: setup .tools/python-3.9
	$(PYTHON) -m pytest integration_tests -m 'not slow' -n 3 --dist loadfile $(ARGS)

# Faults of a release, and of local_aws itself.
FAULTS := integration_tests/faults integration_tests/test_kill_and_restart.py

# The longest first, so that the workers end together. By name, since pytest orders the files of a folder itself.
LONGEST := $(addprefix integration_tests/test_,gates.py releases.py catalogue.py first_steps.py two_environments.py runbook.py promotion.py secrets.py changes.py)
SCENARIOS := $(LONGEST) $(filter-out $(LONGEST) $(FAULTS),$(wildcard $(addsuffix test_*.py,integration_tests/ integration_tests/pitfalls/ integration_tests/attacks/)))

scenarios: setup .tools/python-3.9
	$(PYTHON) -m pytest $(SCENARIOS) -m slow -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

stories:
	@echo 'make stories is now make scenarios' >&2
	@$(MAKE) --no-print-directory scenarios

faults: setup .tools/python-3.9
	$(PYTHON) -m pytest $(FAULTS) $(ARGS)

rehearsal: setup .tools/python-3.9
	@$(PYTHON) -m integration_tests.rehearsal $(ARGS)

# Where the machine allows no namespaces, its tests are skipped, and say so.
short-rehearsal: setup .tools/python-3.9
	$(PYTHON) -m pytest integration_tests/rehearsal/test_first_scenario_rehearsed.py $(ARGS)

# Without an engine, or without root, it says so and plays nothing.
engines: setup .tools/python-3.9
	@$(PYTHON) -m integration_tests.engines $(ARGS)

# The first scenario and tasks that end in each way, on docker, else on podman.
short-engines: setup .tools/python-3.9
	@$(PYTHON) -m integration_tests.engines --short $(ARGS)

# Each part is a hook of .pre-commit-config.yaml, too.
check: lint types limits locks github templates

lint: setup
	ruff check .
	ruff format --check .
	hadolint Dockerfile .devcontainer/Dockerfile

types: setup .tools/sample-service/.ready
	mypy app.py infrastructure tools operations local_aws harness integration_tests benchmarks unit_tests
	cd sample_service && mypy --strict --python-executable ../.tools/sample-service/bin/python .

# Complexity with comprehensions counted in, and lines.
limits: setup
	$(PYTHON) -m pytest --quiet unit_tests/test_code_limits.py

# Dependabot edits a lock pin by pin; whether the pins fit together is seen here.
locks: setup .tools/sample-service/.ready
	uv pip check --python $(PYTHON)
	uv pip check --python .tools/sample-service/bin/python

github: setup
	actionlint lib/*.yml .github/workflows/*.yml
	check-jsonschema --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	check-jsonschema --builtin-schema vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	pre-commit validate-config

templates: setup
	$(MAKE) --no-print-directory synth
	$(PYTHON) -m tools synth-every-option cdk.out/every-option
	cfn-lint cdk.out/*.template.json cdk.out/every-option/*.template.json
	$(PYTHON) -m tools nag
	$(PYTHON) -m tools docs --check

# What `make templates` checks: pages that are generated from the templates, the settings and local_aws.
docs: setup
	$(PYTHON) -m tools docs --write

# The audit of the pipelines reads them offline: commit what this writes, and deploy.
advisories: setup
	$(PYTHON) -m tools advisories

# What is installed, as CycloneDX: in the image of each service, and by this project. The image of Python is not in it.
# The warning is that a lock has no graph of dependencies.
BOM := PYTHONWARNINGS=ignore .tools/sbom/bin/cyclonedx-py requirements --output-reproducible
sbom: setup .tools/sbom/.ready
	@mkdir -p sbom
	$(BOM) --pyproject sample_service/pyproject.toml -o sbom/sample-service.cdx.json sample_service/requirements.txt
	set -e; for service in $(SERVICES); do \
	  $(BOM) --pyproject services/$$service/service/pyproject.toml -o sbom/$$service.cdx.json \
	    services/$$service/service/requirements.txt; \
	done
	$(BOM) --pyproject pyproject.toml -o sbom/project-python.cdx.json requirements/dev.txt
	npm sbom --silent --package-lock-only --sbom-format cyclonedx > sbom/project-npm.cdx.json

hooks: setup
	pre-commit install

# A browser for the tests of pages, unless the machine has one.
.tools/browser/.ready: integration_tests/support/browser/package.json integration_tests/support/browser/package-lock.json integration_tests/support/browser/open_page.mjs | setup
	@mkdir -p .tools/browser/tmp
	@cp $^ .npmrc .tools/browser
	$(VENV)/bin/npm ci --silent --prefix .tools/browser
	@touch $@

clean:
	@if [ -e $(VENV)/.ready ]; then $(PYTHON) -m harness down; fi
	rm -rf cdk.out evidence sbom .coverage .mypy_cache .ruff_cache .pytest_cache
# The dev container keeps these in volumes, which can be emptied and not removed.
	set -e; for made in $(VENV) node_modules .tools .local_aws; do \
	  if mountpoint --quiet $$made; then find $$made -mindepth 1 -delete; else rm -rf $$made; fi; \
	done

# Setting up: everything is locked by hash, nothing needs root, and nothing happens when nothing changed. Nothing that is
# installed runs code of its own: wheels only, and .npmrc turns off the install scripts of npm.
setup: $(VENV)/.ready

# Scripts and the editable install of local_aws contain the checkout's path: a moved checkout is set up again.
ifneq ($(shell cat $(VENV)/.ready 2>/dev/null),$(realpath $(VENV)))
.PHONY: $(VENV)/.ready
CLEAR := --clear
endif

$(VENV)/.ready: Makefile requirements/uv.txt requirements/dev.txt local_aws/pyproject.toml package.json package-lock.json .npmrc
	@[ "$$(uname -s)" = Linux ] || { \
	  echo "setup: this needs Linux, and not $$(uname -s): on macOS and Windows, use the dev container in .devcontainer/" >&2; exit 2; }
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'setup: python3 is missing or older than 3.11: install Python 3.11 or newer, or name one: make BASE_PYTHON=python3.12' >&2; exit 2; }
	@$(BASE_PYTHON) -m venv $(CLEAR) $(VENV) >/dev/null || { \
	  echo 'setup: python3 cannot make a virtual environment: install python3-venv' >&2; exit 2; }
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/uv.txt
	$(VENV)/bin/uv pip sync --quiet --python $(PYTHON) --require-hashes --only-binary :all: requirements/dev.txt
	@# Its own dependency has one of its files too, and either may be written last: https://github.com/aws/aws-cdk/issues/38482
	$(VENV)/bin/uv pip install --quiet --python $(PYTHON) --require-hashes --only-binary :all: --reinstall-package aws-cdk-lib -r requirements/dev.txt
	$(VENV)/bin/uv pip install --quiet --python $(PYTHON) --offline --no-deps --no-build-isolation --editable ./local_aws
	@# A build cannot write there: without bytecode, each of its calls of the AWS CLI would compile all of it again.
	@cd $(VENV)/lib/python3*/site-packages && $(abspath $(PYTHON)) -m compileall -q awscli docutils rsa pyasn1 colorama s3transfer yaml
	$(VENV)/bin/npm ci --silent
	@cd $(VENV) && pwd -P > .ready

FIND_3_9 := $(PYTHON) -c 'from local_aws.host.interpreters import find_python; print(find_python("3.9"))'

# The sample service's Python: the machine's own, else one that uv fetches.
.tools/python-3.9: | setup
	@mkdir -p .tools
	@$(FIND_3_9) > $@.new 2>/dev/null || $(VENV)/bin/uv python install --quiet 3.9 && $(FIND_3_9) > $@.new || { \
	  echo 'setup: no Python 3.9 here, and uv could not fetch one: install it (pyenv install 3.9, or your system)' >&2; exit 2; }
	@mv $@.new $@

define service_environment
$(VENV)/bin/uv venv --quiet --clear --python "$$(cat .tools/python-3.9)" $(@D)
$(VENV)/bin/uv pip sync --quiet --python $(@D)/bin/python --require-hashes --only-binary :all: $<
@touch $@
endef

.tools/sample-service/.ready: sample_service/requirements-dev.txt .tools/python-3.9
	$(service_environment)

.tools/sbom/.ready: requirements/sbom.txt | setup
	$(VENV)/bin/uv venv --quiet --clear $(@D)
	$(VENV)/bin/uv pip sync --quiet --python $(@D)/bin/python --require-hashes $<
	@touch $@

.PRECIOUS: .tools/services/%/.ready
.tools/services/%/.ready: services/%/service/requirements-dev.txt .tools/python-3.9
	$(service_environment)

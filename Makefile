# Every verb works on a fresh clone: the environment is built from uv.lock when it is missing or stale.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
UV_VERSION := 0.13.9
PYTHON ?= python3
UV := .uv/bin/uv
# The Python of the environment: the given one, or the fastest that is found.
CHOSEN := .uv/python
INTERPRETER = --python "$$(cat $(CHOSEN))"
RUN := $(UV) run --frozen --no-sync
# No variable here has the name of a setting: make would hand it to the services in the setting's place.
SYNCED := .venv/.synced
PROFILED = $(if $(PROFILES),COMPOSE_PROFILES=$(PROFILES))
# An attestation has the time of its build, so that an unchanged image would count as a new one.
COMPOSE = $(PROFILED) COMPOSE_BAKE=false BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker compose
SYNCED_BENCH := .venv/.synced-bench
SYNCED_NODE := .venv/.synced-node
SYNCED_DOCS := .venv/.synced-docs
CHECKERS := tests/support/node
TYPESCRIPT := clients/typescript
NPM_CI = PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --loglevel=error --prefer-offline --ignore-scripts --no-audit --no-fund
SOURCES := clients/python/src libs services tools tests bench
# Of another project: it would be read in this one's place.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH UV_PROJECT_ENVIRONMENT UV_FROZEN
# Images set it. Each process of a service would compile all it imports again: two seconds instead of one.
unexport PYTHONDONTWRITEBYTECODE
# Three processes share the tests, file by file: on two cores a third of what they do is waiting.
TESTERS := 3
TOGETHER = -n $(TESTERS) --dist loadfile --no-loadscope-reorder
# A refusal has said in one line what it is. Make would add one of its own, and ends silently by SIGPIPE alone.
OR_END_SILENTLY := || { code=$$?; kill -PIPE $$PPID; exit $$code; }

# An environment whose Python is gone, or that was made where this checkout no longer lies, is made again.
$(shell [ "$$(cat $(SYNCED) 2>/dev/null)" = "$(CURDIR)" ] && .venv/bin/python -IS -c '' 2>/dev/null || rm -f $(SYNCED) $(CHOSEN))

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is missing: install Python 3.11 or newer (apt-get install python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $$($(PYTHON) --version) is too old: Waybill needs Python 3.11 or newer (set PYTHON=python3.x)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: this Python cannot make virtual environments: apt-get install python3-venv" >&2; exit 1; }
	@echo "setting up uv $(UV_VERSION)"
	@$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(CHOSEN): $(UV)
	@$(if $(filter file,$(origin PYTHON)),$(PYTHON) tools/choose_python.py,command -v $(PYTHON)) > $@

$(SYNCED): $(CHOSEN) uv.lock pyproject.toml $(wildcard clients/python/pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml tools/*/pyproject.toml)
	@echo "installing the locked environment into .venv, with $$(cat $(CHOSEN))"
	@$(UV) sync --locked --quiet --all-packages $(INTERPRETER)
	@echo "$(CURDIR)" > $@

# What benchmarks need beside it, for plots and percentiles: any other verb does without.
$(SYNCED_BENCH): $(SYNCED)
	@$(UV) sync --locked --quiet --inexact --all-packages --group bench $(INTERPRETER)
	@touch $@

# Node, and what checks the contract with it: only tests use them.
$(SYNCED_NODE): $(SYNCED)
	@$(UV) sync --locked --quiet --inexact --all-packages --group node $(INTERPRETER)
	@touch $@

$(SYNCED_DOCS): $(SYNCED)
	@$(UV) sync --locked --quiet --inexact --all-packages --group docs $(INTERPRETER)
	@touch $@

$(CHECKERS)/node_modules/.package-lock.json: $(CHECKERS)/package-lock.json | $(SYNCED_NODE)
	@echo "installing what checks the contract into $(CHECKERS)"
	@cd $(CHECKERS) && $(NPM_CI)
	@touch $@

$(TYPESCRIPT)/node_modules/.package-lock.json: $(TYPESCRIPT)/package-lock.json | $(SYNCED_NODE)
	@echo "installing what generates and checks the TypeScript client into $(TYPESCRIPT)"
	@cd $(TYPESCRIPT) && $(NPM_CI)
	@touch $@

.PHONY: deps
deps: $(CHOSEN) ## Install what uv.lock names; UPGRADE=1 moves uv.lock to the newest allowed first
	@$(if $(UPGRADE),$(UV) lock --upgrade && )$(UV) sync --locked --quiet --all-packages $(INTERPRETER)
	@echo "$(CURDIR)" > $(SYNCED)

.PHONY: build
build: $(SYNCED) ## Build every package as a wheel, into dist/ (`make up` builds the images)
	@$(UV) build --all-packages --wheel --quiet --out-dir dist
	@ls dist/*.whl

.PHONY: clients
clients: $(SYNCED) $(TYPESCRIPT)/node_modules/.package-lock.json ## Build the packages for callers, for Python and for npm, into dist/
	@$(UV) build --package waybill --wheel --quiet --out-dir dist
	@cd $(TYPESCRIPT) && PATH="$(CURDIR)/.venv/bin:$$PATH" npm pack --silent --pack-destination $(CURDIR)/dist >/dev/null
	@ls dist/waybill-*.whl dist/*.tgz

.PHONY: run
run: $(SYNCED) ## Start everything on this machine; Ctrl-C stops it
	@exec $(RUN) python -m devstack run

.PHONY: stores
stores: $(SYNCED) ## Start MongoDB, Redis and Kafka alone, on the same data
	@exec $(RUN) python -m devstack run --stores-only

.PHONY: exec
exec: $(SYNCED) ## Run COMMAND="waybill-admin schema" with the addresses of the running stack's stores
	@exec $(RUN) python -m devstack exec $(COMMAND)

.PHONY: partitions
partitions: $(SYNCED) ## Show the partitions of the running stack's log, or let it grow to N=24 of them
	@exec $(RUN) python -m devstack exec waybill-admin partitions $(if $(N),grow $(N))

.PHONY: test
test: ## Lint, types, import contracts and the tests, on real servers (not those marked long or docker)
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=target lint types test-unit
	@$(MAKE) --no-print-directory test-stack

.PHONY: test-unit
test-unit: $(SYNCED) checkers ## Tests that need no server
	$(RUN) pytest $(TOGETHER) -m "not stack and not long and not docker" tests

.PHONY: test-stack
# Each with a stack of its own, of 1.5 GB: they wait for their servers half of the time.
test-stack: $(SYNCED) checkers ## Tests on the embedded stack: contract, integration, end to end
	$(RUN) pytest $(TOGETHER) -m "stack and not long and not docker" --ignore tests/unit tests

.PHONY: test-one
test-one: $(SYNCED) checkers ## Some tests alone, as in T=tests/unit/domain/test_status.py (pytest's arguments)
	@test -n "$(T)" || { echo "error: which? make test-one T=tests/unit/domain/test_status.py" >&2; false; } $(OR_END_SILENTLY)
	@exec $(RUN) pytest -p no:xdist $(T)

.PHONY: test-race
test-race: $(SYNCED) ## Tests of what happens at once, TIMES=5 times over
	$(RUN) pytest $(TOGETHER) -m race --count $(or $(TIMES),5) tests

.PHONY: test-docker
test-docker: $(SYNCED) docker ## docker-compose.yml on the Docker engine here: up, demo, kills, scaling, down and up
	$(RUN) pytest -p no:xdist -m docker -rP tests

.PHONY: faults
# What recovers within a bound is not to wait for the CPU: a core for each.
faults: TESTERS := 2
faults: $(SYNCED) ## Every row of the fault matrix, with its table; a random schedule with SEED=n MINUTES=m
	@exec $(RUN) $(if $(SEED)$(MINUTES),python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS),pytest $(TOGETHER) -m "fault or long" --fault-table tests)

.PHONY: upgrade-test
upgrade-test: $(SYNCED) ## Roll this release over the last one under load, and back; the last order by SEED=n
	@exec $(RUN) python -m tests.upgrade $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: region-drill
region-drill: $(SYNCED) ## Lose a region under load and return to it: two stacks, a real MirrorMaker (docs/multi-region.md)
	@exec $(RUN) pytest -p no:xdist -rP tests/faults/regions

.PHONY: mutations
mutations: $(SYNCED) ## Take each safety away, one after the other, and see that a test fails
	@exec $(RUN) python -m tests.mutations $(ONLY)

.PHONY: test-coverage
test-coverage: $(SYNCED) checkers ## All tests with coverage; domain 100 %, overall 85 %
	$(RUN) coverage erase
	$(RUN) coverage run -m pytest -m "not long and not docker" tests
	$(RUN) coverage combine --quiet
	$(RUN) coverage report --include='libs/domain/*' --fail-under=100
	$(RUN) coverage report --fail-under=85

.PHONY: lint
lint: $(SYNCED) ## ruff, formatting and import contracts, check only
	$(RUN) ruff check $(SOURCES)
	$(RUN) ruff format --check $(SOURCES)
	$(RUN) lint-imports --no-cache

.PHONY: fmt
fmt: $(SYNCED) ## Format and apply the safe lint fixes
	$(RUN) ruff check --fix $(SOURCES)
	$(RUN) ruff format $(SOURCES)

.PHONY: types
types: $(SYNCED) ## mypy --strict over sources and tests
	$(RUN) mypy $(SOURCES)

.PHONY: contract
contract: $(SYNCED) $(TYPESCRIPT)/node_modules/.package-lock.json ## Write what is generated from the code: OpenAPI, AsyncAPI, Postman, dashboards, tables, clients
	$(RUN) python -m docgen
	@cd $(TYPESCRIPT) && PATH="$(CURDIR)/.venv/bin:$$PATH" npm run --silent generate

.PHONY: docs
docs: $(SYNCED_DOCS) ## Build the documentation site into site/; a dead link or anchor fails it
	@NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(RUN) mkdocs build --strict --quiet

.PHONY: checkers
checkers: $(SYNCED_NODE) $(CHECKERS)/node_modules/.package-lock.json $(TYPESCRIPT)/node_modules/.package-lock.json ## Install Node's tools that check the contract and the client; the tests use them

.PHONY: alerts
alerts: $(SYNCED) ## Check the rules of Prometheus; each alert fires in its test, none on an ordinary day
	$(RUN) pytest tests/observability

.PHONY: bench
bench: $(SYNCED_BENCH) ## Measure on this machine: BENCH=throughput, latency, single, reads, webhooks, pages, streams, scaling, peers, sizing, regions, steps, rebuild
	@exec $(RUN) python -m bench.$(or $(BENCH),throughput) $(ARGS)

.PHONY: bench-check
bench-check: $(SYNCED_BENCH) ## Fail if a ratio (of the ceiling, of bare aiohttp, of a peer) is below its floor
	@exec $(RUN) python -m bench.check $(ARGS)

.PHONY: pictures
pictures: $(SYNCED_BENCH) ## Draw the dashboards under a load into docs/pictures
	@exec $(RUN) python -m bench.pictures $(ARGS)

.PHONY: page-pictures
page-pictures: $(SYNCED) checkers ## Take the pictures of pages in docs/pictures, beside a running `make run`
	@exec $(RUN) python -m tests.browser.pictures $(ARGS)

.PHONY: soak
soak: $(SYNCED) ## Half of the capacity for MINUTES=20: nothing may grow, nothing be lost
	@exec $(RUN) python -m bench.soak $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

.PHONY: demo
demo: $(SYNCED) ## Drive lifelike traffic through the running stack
	@exec $(RUN) python -m demo

.PHONY: up
up: docker ## Everything in containers, until it is healthy; PROFILES=scale,observability adds to it
	@$(PROFILED) deploy/docker/settle
	@sizes=$$(deploy/docker/sizes) && eval "$$sizes" && $(COMPOSE) up --detach --build --wait --remove-orphans
	@deploy/docker/banner

.PHONY: down
down: docker ## Stop the containers; the data stays
	@case " $(ARGS) " in *" -v "* | *" --volumes "*) echo "error: that deletes the backups too: make docker-clean-data deletes all but them; docker compose down --volumes deletes everything" >&2; false;; esac $(OR_END_SILENTLY)
	@$(COMPOSE) --profile '*' down $(ARGS)

.PHONY: docker-clean-data
docker-clean-data: docker ## Delete what the containers have kept, but no backup: lists it and asks (ARGS=--yes does not)
	@deploy/docker/clean-data $(ARGS) $(OR_END_SILENTLY)

.PHONY: logs
logs: docker ## Follow the containers' logs; ARGS=processor for one service
	@exec $(COMPOSE) logs --follow --tail 100 $(ARGS)

.PHONY: docker-up docker-down docker-logs
docker-up: up ## The same as up
docker-down: down ## The same as down
docker-logs: logs ## The same as logs

.PHONY: docker
docker:
	@command -v docker >/dev/null || { echo "error: docker is missing: install Docker Engine (https://docs.docker.com/engine/install)" >&2; exit 1; }
	@docker compose version >/dev/null 2>&1 || { echo "error: docker compose is missing: install the Compose plugin, version 2.24 or newer" >&2; exit 1; }
	@docker version >/dev/null 2>&1 || { echo "error: no Docker engine answers: start it, or see that this user may use it" >&2; exit 1; }

.PHONY: admin
admin: export NEW_ADMIN := $(value USERNAME)
admin: $(SYNCED) ## Make the first admin on the running stack, as in USERNAME=ana; ARGS=--reset: a new password
	@[ -n "$$NEW_ADMIN" ] || { echo "error: say who, as in make admin USERNAME=ana" >&2; false; } $(OR_END_SILENTLY)
	@$(RUN) python -m devstack exec python -m query_api.first_admin $(ARGS) -- "$$NEW_ADMIN" $(OR_END_SILENTLY)

.PHONY: ops
ops: $(SYNCED) ## Operate a running Waybill, as in ARGS="dead-letters list"; credentials come from the environment
	@$(RUN) waybill ops $(ARGS) $(OR_END_SILENTLY)

.PHONY: rebuild-check
rebuild-check: $(SYNCED) ## Prove that shipments equal what the audit log and the topic make of them
	@exec $(RUN) python -m devstack exec waybill-admin rebuild check --from both

.PHONY: backup
backup: $(SYNCED) ## Back the running stack's database up into DIR (backups in WAYBILL_HOME, or .waybill)
	@exec $(RUN) python -m devstack exec waybill-admin backup create "$${DIR:-$${WAYBILL_HOME:-.waybill}/backups}"

.PHONY: clean-data
clean-data: $(SYNCED) ## Delete the embedded stack's data, but no backup: lists it and asks (ARGS=--yes does not)
	@$(RUN) python -m devstack clean-data $(ARGS) $(OR_END_SILENTLY)

.PHONY: clean
clean: ## Remove environments, wheels and caches; data and backups stay
	rm -rf .venv .uv site bench/peers/.venv bench/peers/jvm/target tests/support/node/node_modules clients/typescript/node_modules clients/typescript/dist dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .coverage* htmlcov

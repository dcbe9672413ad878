# spanloom: make run, make test. Everything is set up on the way, in .venv; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
FUZZ := .venv-fuzz
FUZZ_SECONDS ?= 60
PROTOS := schemas/facts.proto schemas/otlp.proto
PROTOC := $(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. $(PROTOS)
UV := $(BIN)/uv pip compile --quiet --no-emit-index-url --no-header --no-annotate --python-version 3.11
UV_PINS := $(UV) --universal
UV_COMPILE := $(UV_PINS) --all-extras pyproject.toml
PYTEST := $(BIN)/python -m pytest
SET_UP := PYTHON="$(PYTHON)" sh deploy/install.sh
SET_UP_INPUTS := pyproject.toml deploy/install.sh deploy/set_up.py

.PHONY: run install dev audit test test-clients test-browser test-kafka chaos test-wheel test-oldest fuzz fuzz-live check \
  generate bench bench-check bench-receiver constraints clean help

help:
	@sed -n 's/^\([a-z/.-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

run: install ## start everything, with a sample, until Ctrl-C
	@$(BIN)/spanloom up

install: $(VENV)/.installed-local ## set up .venv to run

# Each adds to .venv what it lacks, and stamps all that it names.
$(VENV)/.installed-local: $(SET_UP_INPUTS) constraints.txt
	@$(SET_UP) $(VENV) local constraints.txt

$(VENV)/.installed-test: $(SET_UP_INPUTS) constraints.txt
	@$(SET_UP) $(VENV) local,test constraints.txt

$(VENV)/.installed-dev: $(SET_UP_INPUTS) constraints.txt
	@$(SET_UP) $(VENV) local,test,dev constraints.txt

$(OLDEST)/.installed-test: $(SET_UP_INPUTS) constraints-oldest.txt
	@$(SET_UP) $(OLDEST) local,test constraints-oldest.txt

$(FUZZ)/.installed-fuzz: $(SET_UP_INPUTS) constraints.txt
	@$(SET_UP) $(FUZZ) test,fuzz constraints.txt

deploy/.env: | install ## passwords and keys for Docker Compose, of your own
	@umask 077 && $(BIN)/python deploy/new_env.py > $@.new && mv $@.new $@

dev: $(VENV)/.installed-dev ## what tests and `make check` need on top

test: $(VENV)/.installed-test ## all tests but those on Apache Kafka, with other SDKs and in a browser; no server needed, no root
	@$(PYTEST) -n 6 --dist worksteal -m "not kafka and not clients and not browser and not wheel"

test-clients: $(VENV)/.installed-test ## the SDKs that people have, and a Collector, send to a running stack; set up in .venv-clients, .collector
	@$(BIN)/python -m tests.clients.environments
	@$(BIN)/python -m tests.integration.collector.building
	@$(PYTEST) -v tests/clients tests/integration/collector

test-browser: $(VENV)/.installed-test ## the pages in Chromium, on the local stack; skipped where there is no Chromium
	@$(PYTEST) tests/dashboard/browser

test-kafka: $(VENV)/.installed-test ## the integration tests on Apache Kafka, fetched by mvn
	@$(BIN)/python -m tests.integration.collector.building
	@$(PYTEST) -n 3 --dist worksteal --broker kafka tests/integration tests/kafka

chaos: $(VENV)/.installed-test ## break it in every way that docs/guarantees.md names, on three brokers; CHAOS=--help says more
	@$(BIN)/python -m tests.chaos $(CHAOS)

test-wheel: $(VENV)/.installed-test ## the wheel, installed beside the openai-agents SDK in .venv-wheel, runs everything
	@$(BIN)/python -m tests.wheel.environment
	@$(PYTEST) -v tests/wheel

test-oldest: $(OLDEST)/.installed-test ## migrations, writes and every query on ClickHouse 25.8, the oldest supported
	@$(OLDEST)/bin/python -c "import chdb; print('engine', chdb.engine_version)"
	@$(OLDEST)/bin/python -m pytest -n 2 -m "not browser" tests/warehouse tests/dashboard tests/integration/test_captures.py

fuzz: $(FUZZ)/.installed-fuzz ## look for input that breaks decoding, FUZZ_SECONDS long, by coverage (Linux on x86-64)
	@$(FUZZ)/bin/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

fuzz-live: $(VENV)/.installed-test ## send random requests to a running stack, FUZZ_SECONDS long
	@$(BIN)/python -m tests.fuzz.live --seconds $(FUZZ_SECONDS)

audit: $(VENV)/.installed-test ## ask the registries for known holes in what is pinned; set up in .venv-audit
	@$(BIN)/python -m tests.audit

check: dev ## lint, format, types, generated code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy deploy
	@sh schemas/check.sh "$(PROTOC)"

generate: dev ## Python code of the schemas
	@$(PROTOC)

bench: $(VENV)/.installed-test ## measure throughput beside what else people would build (an hour), and latency; set up in .venv-rivals
	@$(BIN)/python -m benchmarks.comparison
	@$(BIN)/python -m benchmarks.latency

bench-check: $(VENV)/.installed-test ## twenty minutes of the same: has spanloom lost a fifth beside the others since they were committed?
	@$(BIN)/python -m benchmarks.comparison.check

bench-receiver: $(VENV)/.installed-test ## measure the receiver: spans per CPU-second, latencies
	@$(BIN)/python -m benchmarks.receiver.throughput

constraints: dev ## pin all dependencies anew
	@$(BIN)/python -m pip install --quiet uv
	@$(UV_COMPILE) -o constraints.txt
	@echo 'chdb==4.0.2' | $(UV_COMPILE) -c - -o constraints-oldest.txt
	@$(UV_PINS) tests/clients/requirements.txt -o tests/clients/constraints.txt
	@$(UV) --python-platform linux benchmarks/rivals/requirements.txt -o benchmarks/rivals/constraints.txt
	@$(UV_PINS) tests/wheel/requirements.txt -c constraints.txt -o tests/wheel/constraints.txt
	@$(UV_PINS) tests/audit/requirements.txt -o tests/audit/constraints.txt
	@$(BIN)/python deploy/image/pin.py $(BIN)/uv

clean: ## remove what make has set up
	rm -rf $(VENV) $(OLDEST) $(FUZZ) .fuzz .venv-audit .venv-clients .venv-rivals .venv-wheel .collector .pytest_cache .mypy_cache .ruff_cache .hypothesis

# spanloom: make run, make test. Everything is set up on the way, in .venv; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OLDEST := .venv-oldest
FUZZ := .venv-fuzz
FUZZ_SECONDS ?= 60
PROTOS := schemas/facts.proto schemas/otlp.proto
PROTOC := $(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. $(PROTOS)
UV_PINS := $(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-header --no-annotate \
  --python-version 3.11
UV_COMPILE := $(UV_PINS) --all-extras pyproject.toml
PYTEST := $(BIN)/python -m pytest

.PHONY: run install dev test test-clients test-browser test-kafka test-wheel test-oldest fuzz check generate bench bench-receiver constraints clean help

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

run: install ## start everything, with a sample, until Ctrl-C
	@$(BIN)/spanloom up

install: $(STAMP) ## set up .venv to run and to test

$(STAMP): pyproject.toml constraints.txt deploy/install.sh
	@PYTHON="$(PYTHON)" sh deploy/install.sh $(VENV) "local,test" constraints.txt
	@touch $@

dev: install ## what `make check` needs on top
	@$(BIN)/python -c "import mypy, ruff, grpc_tools" 2>/dev/null \
	  || PYTHON="$(PYTHON)" sh deploy/install.sh $(VENV) "local,test,dev" constraints.txt

test: install ## all tests but those on Apache Kafka, with other SDKs and in a browser; no server needed, no root
	@$(PYTEST) -n 6 --dist worksteal -m "not kafka and not clients and not browser and not wheel"

test-clients: install ## the SDKs that people have send to a running stack; set up in .venv-clients
	@$(BIN)/python -m tests.clients.environments
	@$(PYTEST) -v tests/clients

test-browser: install ## the pages in Chromium, on the local stack; skipped where there is no Chromium
	@$(PYTEST) tests/dashboard/browser

test-kafka: install ## the integration tests on Apache Kafka, fetched by mvn
	@$(PYTEST) -n 3 --dist worksteal --broker kafka tests/integration tests/kafka

test-wheel: install ## the wheel, installed beside the openai-agents SDK in .venv-wheel, runs everything
	@$(BIN)/python -m tests.wheel.environment
	@$(PYTEST) -v tests/wheel

test-oldest: ## migrations, writes and every query on ClickHouse 25.8, the oldest supported
	@PYTHON="$(PYTHON)" sh deploy/install.sh $(OLDEST) "local,test" constraints-oldest.txt
	@$(OLDEST)/bin/python -c "import chdb; print('engine', chdb.engine_version)"
	@$(OLDEST)/bin/python -m pytest -n 2 -m "not browser" tests/warehouse tests/dashboard tests/integration/test_captures.py

fuzz: ## look for input that breaks decoding, FUZZ_SECONDS long, by coverage (Linux on x86-64)
	@PYTHON="$(PYTHON)" sh deploy/install.sh $(FUZZ) "test,fuzz" constraints.txt
	@$(FUZZ)/bin/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

check: dev ## lint, format, types, generated code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@sh schemas/check.sh "$(PROTOC)"

generate: dev ## Python code of the schemas
	@$(PROTOC)

bench: install ## measure throughput and latency
	@$(BIN)/python -m benchmarks.throughput --baseline
	@$(BIN)/python -m benchmarks.latency

bench-receiver: install ## measure the receiver: spans per CPU-second, latencies
	@$(BIN)/python -m benchmarks.receiver.throughput

constraints: dev ## pin all dependencies anew
	@$(BIN)/python -m pip install --quiet uv
	@$(UV_COMPILE) -o constraints.txt
	@echo 'chdb==4.0.2' | $(UV_COMPILE) -c - -o constraints-oldest.txt
	@$(UV_PINS) tests/clients/requirements.txt -o tests/clients/constraints.txt
	@$(UV_PINS) tests/wheel/requirements.txt -c constraints.txt -o tests/wheel/constraints.txt

clean: ## remove what make has set up
	rm -rf $(VENV) $(OLDEST) $(FUZZ) .fuzz .venv-clients .venv-wheel .pytest_cache .mypy_cache .ruff_cache .hypothesis

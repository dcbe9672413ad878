# spanloom: make run, make test. Everything is set up on the way, in .venv; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OLDEST := .venv-oldest
PROTOS := schemas/facts.proto schemas/otlp.proto
PROTOC := $(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. $(PROTOS)
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-header --no-annotate \
  --python-version 3.11 --all-extras pyproject.toml
PYTEST := $(BIN)/python -m pytest

.PHONY: run install dev test test-kafka test-oldest check generate bench constraints clean help

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

test: install ## all tests but those on Apache Kafka and in a browser; no server needed, no root
	@$(PYTEST) -n 6 --dist worksteal -m "not kafka and not browser"

.PHONY: test-browser
test-browser: install ## the pages in Chromium, on the local stack; skipped where there is no Chromium
	@$(PYTEST) tests/dashboard/browser

test-kafka: install ## the integration tests on Apache Kafka, fetched by mvn
	@$(PYTEST) -n 3 --dist worksteal --broker kafka tests/integration tests/kafka

test-oldest: ## migrations, writes and every query on ClickHouse 25.8, the oldest supported
	@PYTHON="$(PYTHON)" sh deploy/install.sh $(OLDEST) "local,test" constraints-oldest.txt
	@$(OLDEST)/bin/python -c "import chdb; print('engine', chdb.engine_version)"
	@$(OLDEST)/bin/python -m pytest -n 2 tests/warehouse tests/dashboard tests/integration/test_captures.py

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

constraints: dev ## pin all dependencies anew
	@$(BIN)/python -m pip install --quiet uv
	@$(UV_COMPILE) -o constraints.txt
	@echo 'chdb==4.0.2' | $(UV_COMPILE) -c - -o constraints-oldest.txt

clean: ## remove what make has set up
	rm -rf $(VENV) $(OLDEST) .pytest_cache .mypy_cache .ruff_cache .hypothesis

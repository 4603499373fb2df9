# `make serve` and `make test` need nothing but Python 3.11 or newer and make: the rest is set up here.

VENV := .venv
BIN := $(VENV)/bin
# The newest Python that is new enough; PYTHON=… names another.
FIND_PYTHON = for p in $(PYTHON) python3.14 python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done
HOST ?= 127.0.0.1
PORT ?= 8000
CHAT_PORT ?= 8900
export HOST PORT
# Runs a program until Ctrl-C, SIGTERM or the end of the terminal. Ctrl-C reaches the program by itself. SIGTERM
# reaches only make, which passes it to this shell, and SIGHUP would end honcho before it ends what it started. A
# program that a signal ended has not failed: without the last line, make reports an error.
UNTIL_STOPPED = until_stopped() { \
	(trap "" HUP; exec "$$@") & program=$$!; trap : INT; trap "kill $$program" HUP TERM; \
	while wait $$program; status=$$?; kill -0 $$program 2>/dev/null; do :; done; \
	[ $$status -eq 130 ] || [ $$status -eq 143 ] || return $$status; }; until_stopped
# One more than there are processors: tests wait for sockets and processes, too.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1 )))

.PHONY: help serve chat test browser-tools reader-tools lint format soak fuzz bench screenshots requirements sbom clean

help:
	@echo "make serve         run the site and the bot at http://$(HOST):$(PORT)/"
	@echo "make chat          run a fake of the chat services beside it, at http://127.0.0.1:$(CHAT_PORT)/"
	@echo "make test          run the linters and the tests"
	@echo "make soak          run the long tests: chaos, crashes, replays with real processes"
	@echo "make fuzz          run the fuzz targets for FUZZ_SECONDS (600), shared among them"
	@echo "make bench         measure, side by side with other programs"
	@echo "make format        format the code"
	@echo "make browser-tools install the checkers of the browser tests (needs npm)"
	@echo "make reader-tools  install npm's feed parsers for the tests (needs npm)"
	@echo "make screenshots   take screenshots of all pages, including the README's"
	@echo "make requirements  compile requirements*.txt from pyproject.toml"
	@echo "make sbom          write sbom.cdx.json: the contents of a release (CycloneDX)"
	@echo "make clean         remove the environment, caches and other derived files"

serve: $(VENV)/serve
	@$(BIN)/python -m ops.port
	@$(BIN)/flask db upgrade
	@echo "Newswire: http://$(HOST):$(PORT)/   (Ctrl-C stops it)"
	@$(UNTIL_STOPPED) env PATH="$(CURDIR)/$(BIN):$$PATH" WEB_PORT=$(PORT) $(BIN)/honcho start web bot

# Does not need the tests' environment: the packages of `make serve` are enough.
chat: $(VENV)/serve
	@$(UNTIL_STOPPED) $(BIN)/python -m tests.fakechat --port $(CHAT_PORT) --site-port $(PORT)

test: $(VENV)/dev
	$(MAKE) lint
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not soak" $(ARGS)

browser-tools:
	cd tests/browser && npm install --no-package-lock --ignore-scripts --no-audit --no-fund

reader-tools:
	cd tests/readers && npm install --no-package-lock --ignore-scripts --no-audit --no-fund

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

soak: $(VENV)/dev
	$(BIN)/pytest -m soak $(ARGS)

fuzz: $(VENV)/dev
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} $(BIN)/pytest tests/fuzz -m fuzz $(ARGS)

bench: $(VENV)/dev
	$(BIN)/python -m benchmarks $(ARGS)

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: $(VENV)/dev
	$(BIN)/python -m scripts.screenshots

requirements: $(VENV)/dev
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
		pyproject.toml -o requirements.txt $(ARGS)
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--group pictures -c requirements.txt -o requirements-pictures.txt $(ARGS)
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--group dev -c requirements.txt pyproject.toml -o requirements-dev.txt $(ARGS)

# Made from the pinned versions and hashes alone, so that it is the same on every machine.
sbom: $(VENV)/dev
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible \
		--of JSON -o sbom.cdx.json

clean:
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The marker files say which requirements the environment holds; requirements-dev.txt includes the others.
$(VENV)/serve: requirements.txt | $(VENV)/made
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/dev: requirements-dev.txt | $(VENV)/made
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/serve

$(VENV)/made:
	@python=$$($(FIND_PYTHON)); \
	test -n "$$python" || { echo "Newswire needs Python 3.11 or newer, and found none." >&2; exit 1; }; \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

# make demo: the main job, end to end.  make test: the tests.  Each sets up all that it needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PROFILE ?= lite
# Public data to measure retrieval on; what needs it is left out where it is absent.
DATA ?= ../shared/data
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The toolchain of ONNX, CTranslate2 and NPU recipes: 1.7 GB more, for the tests and for make quantize.
TOOLCHAIN := $(VENV)/.toolchain

.PHONY: help setup quantize models demo test lint check bench bench-data lock clean

help:
	@echo "make demo    a cited answer, a translation and a transcript, by real models (PROFILE=lite|standard)"
	@echo "make test    all tests, on real models"
	@echo "make quantize  the toolchain of edge-slm quantize beyond GGUF (torch, ONNX, CTranslate2, NPU)"
	@echo "make check   ruff, mypy and the tests"
	@echo "make bench   the figures of the README"
	@echo "make lock    resolve the dependencies again"
	@echo "make clean   remove the virtual environment"

setup: $(READY)

$(READY): pyproject.toml requirements.lock packaging/llama-cpp-python.lock packaging/build_llama.sh
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is missing: install it, or name it with make PYTHON=/path/to/python." >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "Python's venv module is missing (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Setting up $(VENV)…"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@wheel=$$(packaging/build_llama.sh "$(CURDIR)/$(BIN)/python" packaging/llama-cpp-python.lock) && \
		$(BIN)/python -m pip install --quiet --no-deps --force-reinstall "$$wheel"
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

quantize: $(TOOLCHAIN)

# torch goes first and without a hash: machines take different builds of it, most the one for CPUs.
$(TOOLCHAIN): $(READY) requirements-quantize.lock
	@echo "Setting up the quantisation toolchain…"
	@$(BIN)/python -m pip install --quiet torch==2.13.0
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-quantize.lock
	@touch $@

models: $(READY)
	@$(BIN)/edge-slm models pull $(PROFILE)

demo: models
	@$(BIN)/edge-slm demo --profile $(PROFILE)

test: models $(TOOLCHAIN)
	@$(BIN)/edge-slm models pull smollm2-135m-instruct-q4_1
	@$(BIN)/edge-slm models pull all-minilm-l6-v2
	@$(BIN)/python -m pytest

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

check: lint test

bench: models
	@$(BIN)/edge-slm demo --profile $(PROFILE) > /dev/null
	@$(BIN)/edge-slm bench commands
	@$(BIN)/edge-slm bench tasks
	@$(BIN)/edge-slm bench quant
	@$(BIN)/edge-slm bench metering
	@$(BIN)/edge-slm eval answers --kb exemple-rh --questions examples/rh/questions.jsonl
	@$(BIN)/edge-slm eval approved --questions examples/faq/held_out.jsonl --among 1000
	@$(BIN)/edge-slm eval follow-ups --questions examples/rh/follow_ups.jsonl --split held-out
	@$(BIN)/edge-slm eval triage --mails examples/triage/held-out.jsonl
	@if [ -d "$(DATA)/qa" ]; then $(MAKE) --no-print-directory bench-data; \
	else echo "Public fiches, routing and safety data left out: nothing in $(DATA)."; fi

bench-data:
	@for data in \
		"--corpus corpus_fonction_publique.jsonl --questions qa_rh_or.jsonl" \
		"--corpus corpus_fonction_publique.jsonl --questions qa_titres_fonction_publique.jsonl --hide-titles" \
		"--corpus corpus_fonction_publique.jsonl --corpus corpus_travail_prive.jsonl --questions qa_rh_or.jsonl"; \
	do (cd "$(DATA)/qa" && "$(CURDIR)/$(BIN)/edge-slm" eval retrieval $$data); done
	@cd "$(DATA)/qa" && "$(CURDIR)/$(BIN)/edge-slm" eval answers --compare --sample 90 \
		--corpus corpus_fonction_publique.jsonl --questions qa_rh_or.jsonl \
		--questions qa_titres_fonction_publique.jsonl \
		--questions qa_abstention_corpus_fonction_publique.jsonl
	@$(BIN)/edge-slm eval pii --texts $(DATA)/safety/pii_fr.jsonl
	@$(BIN)/edge-slm eval injection --kb exemple-rh --attacks $(DATA)/safety/injections.jsonl \
		--benign $(DATA)/safety/benins_ressemblants.jsonl

# The lock names no index: it installs from whichever one pip is set up to use.
lock: $(READY)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra meters --extra speech --extra serve --extra plot --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --no-emit-package llama-cpp-python \
		--constraint packaging/constraints.txt --output-file requirements.lock --quiet --upgrade
	@$(BIN)/uv pip compile pyproject.toml --extra quantize --extra cluster --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --no-emit-package llama-cpp-python \
		--no-emit-package torch --no-emit-package pip --override packaging/quantize-overrides.txt \
		--constraint packaging/constraints.txt --constraint requirements.lock \
		--output-file requirements-quantize.lock --quiet --upgrade

clean:
	rm -rf $(VENV)

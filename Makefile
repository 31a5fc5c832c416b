# Everything a user or an engineer does, as one word. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The site is built by tools in an environment of their own: docs/make_site/requirements.txt says why.
SITE_VENV := .venv-docs
SITE_STAMP := $(SITE_VENV)/.installed
BOARD ?= pynq-z2
# Options of the fuzzer, such as FUZZ="--cases 60000".
FUZZ ?=
JOBS ?= auto

.DEFAULT_GOAL := help

.PHONY: help
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14

# torch comes first, in the version that was tried. Whether it brings CUDA is up to pip's index; a CPU
# build is all that is needed, and one that is in $(VENV) already is kept.
$(STAMP): pyproject.toml constraints.txt link_tree.py
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 13) else "make needs Python 3.11 or 3.12 (PYTHON=python3.11 make ...); boards run 3.10")'
	@echo "making the environment in $(VENV), once: some minutes, and gigabytes where pip finds torch with CUDA"
	@echo "1 of 3: a virtual environment"
	@$(PYTHON) -m venv $(VENV)
	@echo "2 of 3: torch"
	@$(BIN)/pip install --progress-bar on --disable-pip-version-check -c constraints.txt torch
	@echo "3 of 3: eie and all else"
	@$(BIN)/pip install --progress-bar on --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(STAMP)

$(SITE_STAMP): docs/make_site/requirements.txt
	$(PYTHON) -m venv $(SITE_VENV)
	@$(SITE_VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.PHONY: install
install: $(STAMP)  ## make the environment in .venv; `.venv/bin/eie` is the command

.PHONY: demo
demo: $(STAMP)  ## train, compress, generate, simulate and drive a network; results in demo/
	@$(BIN)/python examples/demo.py --out demo

.PHONY: examples
examples: $(STAMP)  ## run every example, offline; rewrites the table in docs/tutorial/examples.md (minutes)
	PYTHONPATH=. $(BIN)/python -W ignore examples/run_all.py

.PHONY: test
test: $(STAMP)  ## run the tests, on all cores
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m 'not slow'

.PHONY: test-slow
test-slow: $(STAMP)  ## run the tests that take minutes
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m slow

.PHONY: soak
soak: $(STAMP)  ## run the driver through 100,000 random rounds; rewrites its part of docs/explanation/reliability.md (minutes)
	$(BIN)/python -W ignore tests/board/soak.py

.PHONY: fuzz
fuzz: $(STAMP)  ## mutate 1,000,000 networks, designs and packets; rewrites docs/explanation/reliability.md (40 minutes, resumes)
	$(BIN)/python -W ignore tests/fuzz $(FUZZ)

.PHONY: golden
golden: $(STAMP)  ## rewrite tests/golden after a wanted change of the templates
	$(BIN)/pytest tests/kernel -k golden --update-golden

.PHONY: calibrate
calibrate: $(STAMP)  ## measure the operators with yosys; rewrites hls/model/area/operators.json (10 minutes)
	$(BIN)/python -m calibration

.PHONY: lint
lint: $(STAMP)  ## ruff, mypy strict, and the architecture's import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=build/links $(BIN)/mypy -p eie
	PYTHONPATH=build/links $(BIN)/lint-imports --no-cache --no-logo

.PHONY: docs
docs: $(STAMP) $(SITE_STAMP)  ## build the site in build/site, strictly: every link is followed (seconds)
	@$(BIN)/python docs/make_site $(SITE_VENV)/bin/python

.PHONY: tables
tables: $(STAMP)  ## rewrite the tables in docs/ that come from the code (some minutes)
	$(BIN)/python docs/make_tables.py
	$(BIN)/python docs/make_figures.py
	$(BIN)/python docs/make_hardware.py

.PHONY: pictures
pictures: $(STAMP)  ## draw docs/images/*.svg anew, from the wiring, the packet format and the cycle model (seconds)
	$(BIN)/python docs/make_pictures.py

.PHONY: bench
bench: $(STAMP)  ## rewrite docs/explanation/evaluation.md: the paper's tables and sweeps (under 15 minutes)
	$(BIN)/python -m benchmarks

# Said before anything is trained or generated.
.PHONY: vitis
vitis:
	@command -v vitis_hls >/dev/null || command -v vitis-run >/dev/null || { echo "Vitis HLS was not found (vitis_hls or vitis-run on PATH): install AMD Vitis 2023.2 or later, which brings Vivado with it, and source the settings64.sh in its folder" >&2; exit 2; }

.PHONY: hls
hls: vitis demo/project/design.toml  ## run Vitis HLS on the demo's project, or on one BLOCK=pe|detect_nonzero|... of it
	$(BIN)/eie build demo/project $(if $(BLOCK),--block $(BLOCK),--hls-only)

.PHONY: bitstream
bitstream: vitis demo/digits.npz  ## build the demo network's bitstream for BOARD=... (needs Vitis and Vivado)
	$(BIN)/eie fit demo/digits.npz --board $(BOARD) --out demo/$(BOARD).toml
	$(BIN)/eie generate demo/$(BOARD).toml --out demo/$(BOARD)
	$(BIN)/eie build demo/$(BOARD)

demo/project/design.toml demo/digits.npz:
	$(MAKE) demo

.PHONY: rtl-check
rtl-check: $(STAMP)  ## simulate the RTL of PROJECT=..., or else a stand-in for RTL, against the model (needs Verilator)
	$(if $(PROJECT),$(BIN)/eie rtl-check $(PROJECT),$(BIN)/python tests/tools/rtl/standin.py build/rtl-check)

.PHONY: clean
clean:  ## remove what was made, but for the environment
	rm -rf demo build/hls* build/bench build/fuzz build/rtl-check build/site* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean  ## remove the environment too
	rm -rf $(VENV) $(SITE_VENV) build

# One way in: `make run`, `make test`; `make help` lists the rest. Everything made here goes to build/ and .venv/.

PYTHON ?= python3
SPEED  ?= 1
BOARD  ?= rpi_pico
VENV   := .venv
BIN    := $(VENV)/bin
SETUP  := $(VENV)/.installed
MP32   ?= $(CURDIR)/build/mp32/mp32
STUBS  := $(shell grep -oE '^micropython-(unix|stdlib)-stubs==[^ ;]+' requirements.txt)
export MP32

.DEFAULT_GOAL := help
.PHONY: help setup tools run test lint format typecheck cov bench bench-network bench-update fuzz attacks test-faults wear repl model docs bank clean firmware dist \
        flash deploy reset logs emulator test-board test-board-long bench-board

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(SETUP)  ## the Python environment, pinned, in .venv

$(SETUP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

tools: setup  ## what tests want and a package manager has: tshark, the 32-bit MicroPython
	@tools/setup-tools.sh build/mp32

run: setup  ## the main job: three devices, a power line, a concentrator (SPEED=0: as fast as it goes)
	@$(BIN)/osgp run --speed $(SPEED)

test: tools lint  ## everything that has to hold on the desk; a quarter of an hour
	$(BIN)/python -m pytest --ignore=host_tests/board

lint: setup  ## ruff, and the generated files are fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m osgp_tools.model --check
	$(BIN)/python -m osgp_tools.package --check

typecheck: setup  ## pyright, with the MicroPython stubs
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade --target build/typings $(STUBS)
	$(BIN)/pyright
	$(BIN)/pyright -p pyrightconfig.firmware.json

format: setup  ## ruff format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cov: setup  ## coverage of the firmware by its unit tests, under CPython
	$(BIN)/python -m pytest host_tests/unit --cov=firmware --cov-branch --cov-report=term-missing:skip-covered

bench: tools  ## speed and memory, beside the committed figures
	$(BIN)/python host_tests/bench/run.py

bench-network: setup  ## whole networks in virtual time, to docs/network: ten minutes
	$(BIN)/python -m osgp_tools.simulation.bench docs/network

bench-update: setup  ## an image to whole streets in virtual time, to docs/update: five minutes
	$(BIN)/python -m osgp_tools.simulation.update_bench docs/update

fuzz: setup  ## 200,000 mutated frames against one device
	$(BIN)/python host_tests/faults/fuzz.py

attacks: setup  ## the published attack on the digest: mode 0 loses its key, mode 2 does not
	$(BIN)/python host_tests/attacks/run.py

test-faults: setup  ## power cuts at every flash operation, the whole sweep
	$(BIN)/python host_tests/faults/powercut.py

wear: setup  ## what a day costs the flash, and how many years that gives
	MICROPYPATH=firmware:.frozen $(BIN)/micropython -X heapsize=400m host_tests/faults/device_life.py wear 60

repl: setup  ## a MicroPython REPL with a live device in it: on the desk, or with PORT= a board's
	@$(BIN)/osgp repl $(if $(PORT),--port $(PORT))

flash: firmware  ## our MicroPython onto a board (PORT=, BOARD=), then deploy
	@$(BIN)/osgp flash --board $(BOARD) --port $(or $(PORT),auto)
	@$(BIN)/osgp deploy --board $(BOARD) --port $(or $(PORT),auto)

deploy: setup  ## this tree's firmware onto a board (PORT=); tables and logs stay
	@$(BIN)/osgp deploy --board $(BOARD) --port $(or $(PORT),auto)

reset: setup  ## restart a board (PORT=)
	@$(BIN)/osgp reset --port $(or $(PORT),auto)

logs: setup  ## what ended the last runs of a board (PORT=)
	@$(BIN)/osgp logs --port $(or $(PORT),auto)

model: setup  ## compile the table definitions to firmware/tables/compiled.py
	$(BIN)/python -m osgp_tools.model

docs: setup  ## print the reference of tables, procedures and events to docs/
	$(BIN)/python -m osgp_tools.model --docs docs

bank: setup  ## the bank image, build/bank.img
	$(BIN)/osgp image build build/bank.img

firmware: setup  ## a board's VM and what goes into its flash, in build/BOARD (MPY_DIR=: from a checkout)
	@PYTHON=$(BIN)/python tools/build-firmware.sh $(BOARD)
	@$(BIN)/python -m osgp_tools.pico_image build/$(BOARD)

dist: firmware  ## the UF2 files to drag onto a board, in build/dist
	@mkdir -p build/dist && cp build/$(BOARD)/*.uf2 build/dist/ && ls -l build/dist

emulator: setup
	@command -v node >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq nodejs npm; }
	@[ -d tools/emulator/node_modules ] || npm ci --silent --prefix tools/emulator

test-board: firmware emulator  ## the firmware on an emulated Pico: the main job, and what goes wrong
	$(BIN)/python -m pytest host_tests/board

test-board-long: firmware emulator  ## updates of an emulated Pico, killed 200 times at random moments (OSGP_SEED=): an hour
	OSGP_KILLS=$(or $(KILLS),200) $(BIN)/python -m pytest -s host_tests/board/test_update_board.py -k random_moments

bench-board: firmware emulator  ## the budgets, in device time on the emulated Pico
	$(BIN)/python host_tests/bench/board.py

clean:  ## remove what build/ holds, but for keys: of installation, of the concentrator, of images
	@find build -mindepth 1 -maxdepth 1 ! -name install-keys.csv ! -name 'concentrator.db*' ! -name 'update-key.*' -exec rm -rf {} +

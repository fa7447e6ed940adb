# Each target works alone on a fresh clone: it makes .venv and builds what it needs.
# Needed beforehand: a Rust toolchain, Python 3.11 or newer, make.

PYTHON ?= python3
HUNT   ?= 1800
VENV   := .venv
BIN    := $(VENV)/bin
RUST   := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock

.DEFAULT_GOAL := help
.PHONY: help demo test hunt bench check generate docs sanitize wheel clean
.DELETE_ON_ERROR:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.built ## train a graph network on Cora, dynamic and static, and compare
	$(BIN)/weft demo

test: $(VENV)/.built $(VENV)/.tools ## run all tests, Rust's and Python's
	cargo test --workspace --exclude weft-py
	$(BIN)/python -m pytest -q

hunt: $(VENV)/.built $(VENV)/.tools ## look for wrong answers, crashes and hangs for half an hour (HUNT=seconds)
	$(BIN)/python -m tests.hunt.run --seconds $(HUNT)

bench: $(VENV)/.built $(VENV)/.tools ## time weft, beside torch and jax where they are installed
	$(BIN)/python -m benches

check: $(VENV)/.built $(VENV)/.tools ## formatting, lints and types
	cargo fmt --all --check
	PYO3_PYTHON=$(CURDIR)/$(BIN)/python cargo clippy --workspace --all-targets -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

generate: $(VENV)/.built $(VENV)/.tools ## write exports, stub and reference, which follow from weft.ops
	$(BIN)/python -m tests.house.generate

docs: $(VENV)/.built $(VENV)/.tools ## write the code and the outputs that docs/how_it_works.md shows
	$(BIN)/python -m tests.house.story

sanitize: ## the tests of kernels and core under the address sanitiser
	RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=address --cfg weft_sanitize' \
	  cargo test -p weft-kernels -p weft-core --lib --tests \
	  --target $$(rustc -vV | sed -n 's/^host: //p') --target-dir target/sanitize

wheel: $(VENV)/.tools ## build the wheel into dist/
	$(BIN)/maturin build --profile dist --out dist
	@ls -lh dist/*.whl

clean: ## remove everything that was built
	rm -rf $(VENV) target dist python/weft/_core*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Stamps: made once, made again when what they depend on is newer.

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
	  f"weft needs Python 3.11 or newer, $(PYTHON) is {v.major}.{v.minor}. Try: make PYTHON=python3.12 ...")'
	@cargo --version > /dev/null || { echo "weft needs a Rust toolchain (cargo)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'maturin>=1.9,<2'
	@touch $@

$(VENV)/.built: $(VENV)/.made $(RUST) pyproject.toml
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release
	@touch $@

# The packages of the extra "dev", as pyproject.toml lists them.
$(VENV)/.tools: $(VENV)/.made pyproject.toml
	$(BIN)/python -c 'import tomllib; print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["dev"]))' > $(VENV)/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check numpy -r $(VENV)/dev.txt
	@touch $@

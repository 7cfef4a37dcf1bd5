# `make demo` and `make test` set up everything they need by themselves, in .venv.
PYTHON ?= python3

.PHONY: demo test check lint types clean

demo: .venv/.runner
	.venv/bin/pointe live demo --record out/demo.mp4 --events out/demo.jsonl

test: .venv/.developer
	.venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# What CI runs after the tests.
check: lint types

lint: .venv/.developer
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/.developer
	.venv/bin/mypy

.venv/.runner: pyproject.toml scripts/setup.sh
	PYTHON=$(PYTHON) sh scripts/setup.sh .
	@touch $@

.venv/.developer: pyproject.toml scripts/setup.sh
	PYTHON=$(PYTHON) sh scripts/setup.sh '.[train,dev]'
	@touch .venv/.runner $@

clean:
	rm -rf .venv build dist

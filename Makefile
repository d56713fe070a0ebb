# make demo   a virtual environment, the install, and a first network trained on handwriting
# make test   the tests
# make check  linter, type checker and tests, as CI runs them

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test check pictures clean

demo: $(VENV)/installed
	$(BIN)/nnspec train specs/quickstart.nnspec

test: $(VENV)/installed-test
	$(BIN)/python -m pytest

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy -p spec_lang -p runtime -p checkpoints -p nnspec
	$(BIN)/python -m pytest

pictures: $(VENV)/installed
	rm -rf build/pictures
	$(BIN)/nnspec train specs/quickstart.nnspec --out build/pictures --quiet
	$(BIN)/nnspec occlude build/pictures --window 3x3 --out docs/pictures
	$(BIN)/nnspec plot curves build/pictures --out docs/pictures/curves.png
	$(BIN)/nnspec plot weights build/pictures --out docs/pictures/weights.png
	rm -f docs/pictures/*.npz

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $@ $(VENV)/installed

$(VENV)/installed-dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/installed $(VENV)/installed-test

clean:
	rm -rf $(VENV) build *.egg-info

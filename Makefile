# make demo   a virtual environment, the install, and a first network trained on handwriting
# make test   the tests; make test JOBS=2 runs two at a time, EXCEPT=long leaves out those that take minutes
# make quick  a few seconds: linter, architecture, and the fast tests of the language and of the arithmetic
# make coverage  which lines and branches the fast tests reach; pytest -m "not slow" runs the same tests
# make check  linter, type checker and tests, as CI runs them
# make dev    what the type checker and editors need: the development tools, and build/typing, links to the rooms under nnspec/
# make soak   for hours: thousands of kills, power losses and hostile files; docs/reliability.md has the figures
# make mutants  each guard of the checkpoints disabled in turn: does a test fail?
# make generated  parse tables, the index of words, docs/errors.md, sections and pictures of words, the grammars of editors, the manual page, the table of docs/exchange.md
# make site   the documentation as a site: build/site/index.html; make links asks every other host that it links to
# make editor   the extension for VS Code, built and checked with npm: editors/vscode/dist/nnspec.vsix
# make web      CodeMirror, bundled with npm for the pages: nnspec/web/static/vendor
# make playground  the language in a page: build/playground, assembled with npm
# make release  sdist and wheel of the last commit, checked, installed and used in a bare environment of every Python at hand
# make bench  nnspec and PyTorch, JAX and scikit-learn, in an environment of their own; docs/performance.md

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
BENCH  ?= .bench-venv
JOBS   ?= 1
# Tests of worker processes are left out of a parallel run, and follow it.
WORKER := $(shell grep -rl "pytest.mark.worker" tests)
PYTEST := $(BIN)/python -m pytest $(if $(EXCEPT),-m "not $(EXCEPT)")
WITH_WORKER := $(BIN)/python -m pytest -m "worker$(if $(EXCEPT), and not $(EXCEPT))" $(WORKER)
PYTEST += $(if $(filter-out 1,$(JOBS)),-n $(JOBS) --dist worksteal && $(WITH_WORKER))

.PHONY: demo test quick coverage dev check lint types generated bench release soak mutants site links editor web playground pictures clean

demo: $(VENV)/installed
	$(BIN)/nnspec train specs/quickstart.nnspec

test: $(VENV)/installed-test
	$(PYTEST)

QUICK := tests/test_architecture.py tests/specs tests/spec_lang/syntax/test_parse.py tests/spec_lang/check/test_examination.py \
         tests/checkpoints/test_layout.py tests/runtime/layers/test_dense.py tests/runtime/test_optimizers.py

quick: $(VENV)/installed-dev
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/python -m pytest -x -m "not slow" $(QUICK)

coverage: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m "not slow" --cov --cov-report=term:skip-covered

# The rooms are folders at the root and installed inside nnspec. The type checker sees them through these links.
dev: $(VENV)/installed-dev
	rm -rf build/typing
	mkdir -p build/typing/nnspec
	cd build/typing/nnspec && ln -s ../../../nnspec/* ../../../spec_lang ../../../runtime ../../../checkpoints ../../../specs .

# The type checker has one thread: make -j2 check runs it beside the tests.
check: $(VENV)/installed-dev
	$(MAKE) lint types test

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	$(BIN)/mypy

# What is made from the words of the language and from the command; tests compare it.
generated: $(VENV)/installed
	$(BIN)/python -m nnspec.spec_lang.syntax.lark_tables
	$(BIN)/python -m nnspec.spec_lang.vocabulary.index
	$(BIN)/python -m tools.reference
	$(BIN)/python -m nnspec.spec_lang.editor.textmate
	$(BIN)/python -m nnspec.spec_lang.editor.vim
	$(BIN)/python -m nnspec.spec_lang.editor.codemirror
	$(BIN)/python -m tools.man
	$(BIN)/python -m tools.exchange

bench: $(BENCH)/installed
	$(BENCH)/bin/python -m benchmarks

release: $(VENV)/installed-dev
	$(BIN)/python -m tools.release

soak: $(VENV)/installed-test
	$(BIN)/python -m tools.soak

mutants: $(VENV)/installed-test
	$(BIN)/python -m tools.mutants

# A warning, such as a link that leads nowhere, is an error.
site: $(VENV)/installed-docs
	$(BIN)/python -m sphinx -W --keep-going --quiet -b html docs build/site

links: $(VENV)/installed-docs
	$(BIN)/python -m sphinx --quiet -b linkcheck docs build/links

editor:
	cd editors/vscode && npm ci && npm run package && npm test

web:
	cd web && npm ci && npm run build

playground: $(VENV)/installed
	$(BIN)/python -m tools.playground build/playground

pictures: $(VENV)/installed
	rm -rf build/pictures
	$(BIN)/nnspec train specs/quickstart.nnspec --out build/pictures/quickstart --quiet
	$(BIN)/nnspec occlude build/pictures/quickstart --window 3x3 --out docs/pictures
	$(BIN)/nnspec plot curves build/pictures/quickstart --out docs/pictures/curves.png
	$(BIN)/nnspec plot weights build/pictures/quickstart --out docs/pictures/weights.png
	$(BIN)/nnspec plot features build/pictures/quickstart --out docs/pictures/features.png
	$(BIN)/nnspec plot calibration build/pictures/quickstart --out docs/pictures/calibration.png
	$(BIN)/nnspec saliency build/pictures/quickstart --sanity --out docs/pictures
	$(BIN)/nnspec plot graph specs/mnist_resnet.nnspec --out docs/pictures/graph.png
	$(BIN)/nnspec plot augment specs/mnist_best.nnspec --data mnist_sample --out docs/pictures/augment.png
	rm -f docs/pictures/*.npz
	-$(BIN)/python -m tools.studio_picture # needs Playwright, a Chromium and the extra studio

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

$(VENV)/installed-docs: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@ $(VENV)/installed

$(BENCH)/installed: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install --quiet --requirement benchmarks/requirements.txt --editable .
	touch $@

clean:
	rm -rf $(VENV) $(BENCH) build *.egg-info

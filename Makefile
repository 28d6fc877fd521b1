PYTHON ?= python3
BIN := .venv/bin
# How pytest is called for the tests without a browser, and for those with one.
# More processes than the two cores that they were tuned on: tests wait for servers, workers and
# pages, and meanwhile others work.
UNIT = -n 3 --dist worksteal --ignore tests/browser
BROWSER = -n 4 --dist worksteal tests/browser
# Tests start many processes, which need not compile the same files anew.
unexport PYTHONDONTWRITEBYTECODE
# What is imported is declared: by the program, and by the tests, whose folders are put on the path.
DEPTRY = $(BIN)/python -m deptry --no-ansi
TESTS = . tests tests/bench tests/browser tests/experiments/compare tests/experiments/rewrite tests/pages
, := ,
N ?= 1
STAGE = @start=$$(date +%s); echo "== $(1)"; $(2); code=$$?; echo "== $(1): $$(( $$(date +%s) - start )) s"; exit $$code

.PHONY: app install test check unit browser stress study pictures lowest newest again clean

app: .venv/installed
	$(BIN)/ivan app

install: .venv/installed

test: .venv/installed-dev check unit browser

check: .venv/installed-dev
	$(call STAGE,ruff,$(BIN)/ruff check . && $(BIN)/ruff format --check .)
	$(call STAGE,mypy,$(BIN)/mypy)
	$(call STAGE,layers,$(BIN)/lint-imports)
	$(call STAGE,dependencies,$(DEPTRY) . && $(DEPTRY) $(TESTS) --exclude '\.venv|setup\.py' --ignore DEP002$(,)DEP004)

unit: .venv/installed-dev
	$(call STAGE,unit tests,$(BIN)/python -m pytest -q $(UNIT))

browser: .venv/installed-dev
	$(call STAGE,browser journeys,$(BIN)/python -m pytest -q $(BROWSER))

# The whole suite N times on a machine that does other work beside it.
stress: .venv/installed-dev
	$(BIN)/python tests/bench/stress.py $(N) '$(UNIT)' '$(BROWSER)'

# The finished study that ships, computed anew: after a change of the sample, a model, the rules or
# what an analysis computes. A test says when it is due.
study: .venv/installed-dev
	$(BIN)/python tests/bench/make_study.py

# The pictures of README and handbook, of that study.
pictures: .venv/installed-dev
	$(BIN)/python tests/bench/make_pictures.py

# The unit tests with the oldest versions that pyproject.toml allows, and with the newest there are,
# each in an environment of its own. TORCH=torch==2.13.0 takes that one in both, as pip finds it.
lowest: RESOLUTION = --resolution lowest-direct
lowest newest:
	$(PYTHON) -m venv --clear .venv-$@
	.venv-$@/bin/python -m pip install --quiet --disable-pip-version-check uv $(TORCH)
	echo '$(TORCH)' > .venv-$@/torch.txt
	.venv-$@/bin/uv pip install --quiet --python .venv-$@ --override .venv-$@/torch.txt $(RESOLUTION) -e '.[dev]'
	.venv-$@/bin/python -m pytest -q $(UNIT)

# GPU=1 takes PyTorch with CUDA, whether or not a driver is seen.
ifeq ($(GPU),1)
CUDA := --cuda
.venv/installed .venv/installed-dev: again
endif

.venv/installed: pyproject.toml setup.py constraints.txt
	@$(PYTHON) .ci/install.py figures $(CUDA)
	@touch $@

.venv/installed-dev: pyproject.toml setup.py constraints.txt
	@$(PYTHON) .ci/install.py dev $(CUDA)
	@touch $@ .venv/installed

clean:
	rm -rf .venv .venv-lowest .venv-newest

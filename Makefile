# make demo: a shop made from examples/b2c.yaml, running. make test: everything that is checked. Both make what they need.
PYTHON ?= python3
PORT ?= 8000
SPEC ?= examples/b2c.yaml
OUT ?= demo
SEED ?= 1
PY := .venv/bin/python
PROVIDERS := checkoutgen/templates/payments
COMPILE := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# Where it is set, each of the many processes of the tests compiles every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test slow campaign lock clean
setup: .venv/installed

.venv/installed: requirements/dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("checkoutgen needs Python 3.11 or newer; set PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: setup
	$(PY) -m checkoutgen serve $(SPEC) --out $(OUT) --port $(PORT)

test: setup
	./.ci/chromium
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder --max-worker-restart 1 -q

# The counts of the bars: 2,000 merges, 1,000 killed builds.
slow: setup
	$(PY) -m pytest -m slow -q

# The long form of what tests/payments/test_campaign.py runs: 10,000 buyers on each database. SEED=... for another course of events.
campaign: setup
	$(PY) -m benchmarks.campaign --checkouts 10000 --kill-every 30 --seed $(SEED) --seconds 36000
	$(PY) -m benchmarks.campaign --checkouts 10000 --kill-every 30 --seed $(SEED) --seconds 36000 --database postgresql

# tool, shop and payment providers take their versions from dev, so that what is tested is what is installed.
lock: setup
	cd requirements && ../$(COMPILE) dev.in ../$(PROVIDERS)/*/requirements.in -o dev.lock
	cd requirements && ../$(COMPILE) -c dev.lock tool.in -o tool.lock
	cd requirements && ../$(COMPILE) -c dev.lock shop.in -o ../checkoutgen/templates/shop/requirements.lock
	cd requirements && ../$(COMPILE) -c dev.lock shop-test.in -o ../checkoutgen/templates/shop/test-requirements.lock
	cd requirements && for at in ../$(PROVIDERS)/*/requirements.in; do name=$$(basename $$(dirname $$at)) && \
	  ../$(COMPILE) -c dev.lock $$at -o $$(dirname $$at)/shop/requirements-$$name.lock || exit 1; done
	$(MAKE) setup
	$(PY) requirements/licences.py

clean:
	rm -rf .venv $(OUT)

# Everything sets itself up: its own virtual environment, its own uv, from the lock.
# It needs a Python of 3.12 or newer and a package index, nothing else.

# A company's own certificate authority is trusted as the system trusts it.
export UV_SYSTEM_CERTS ?= 1
# Compiled once and kept, whatever the surroundings say: many processes start here.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup browser demo test check bench soak lock clean

setup: $(READY)

$(READY): requirements.lock pyproject.toml .python-version
	@python=; for candidate in python3.12 python3; do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then \
	    python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "This needs Python 3.12 or newer, as python3.12 or python3. Install it and try again."; \
	  exit 1; fi; \
	[ -x $(BIN)/python ] || $$python -m venv $(VENV)
	@grep -A40 '^uv==' requirements.lock | awk 'NR==1 || /^ /{print; next} {exit}' > $(VENV)/uv.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install -q --compile-bytecode --python $(VENV) --require-hashes -r requirements.lock
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install -q --python $(VENV) --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	@$(BIN)/hub demo

# The tests look at pages in a real browser: an installed Chromium, or Debian's shell of it.
browser:
	@for candidate in chromium-headless-shell chromium chromium-browser google-chrome; do \
	  command -v $$candidate >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  install="apt-get install -qq -y --no-install-recommends"; \
	  ($$install chromium-headless-shell \
	   || (apt-get update -qq && ($$install chromium-headless-shell || $$install chromium))) \
	  >/dev/null; \
	else echo "The tests need Chromium: install your system's package and try again."; exit 1; fi

test: setup browser
	@# The tests are compiled once, half of them by each core, and not by every worker anew.
	@for some in "tests/[a-f]*" "tests/[g-z]*"; do \
	  $(BIN)/python -m pytest -q --collect-only $$some >/dev/null & done; wait
	@$(BIN)/python -m pytest -n 4 --dist worksteal --durations=15

# Every figure in docs/benchmarks.md; ratios against a floor or a peer in the same run.
bench: setup
	@$(BIN)/python -m benchmarks

# What takes longer than anybody waits for before each commit: 200 kills at random points.
soak: setup browser
	@$(BIN)/python -m pytest -n 2 -m soak
	@HUB_KILL_SEEDS=200 $(BIN)/python -m pytest -n 2 -m "soak or not soak" tests/faults

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

lock: setup
	$(BIN)/uv pip compile --python-version 3.12 --generate-hashes --no-header --no-annotate \
	  --extra demo --extra front --extra pdf --extra postgres --extra roads --extra s3 --extra valhalla --group dev \
	  pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) hub-data

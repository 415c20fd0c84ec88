.PHONY: run drill doctor test proof check bench words install install-dev lock

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := $(shell command -v uv 2>/dev/null)

# uv is used when it is there, else pip; both read the same lock, hashes included.
ifdef UV
make_venv = $(UV) venv --quiet --python $(PYTHON) $(VENV)
install_lock = $(UV) pip install --quiet --compile-bytecode --python $(PY) --require-hashes -r
else
make_venv = $(PYTHON) -m venv $(VENV)
install_lock = $(PY) -m pip install --quiet --compile --disable-pip-version-check --require-hashes -r
endif

run: $(VENV)/.installed
	@exec $(PY) main.py

# The drill plays faults against this install's own engine, in a folder of its own; the doctor looks at what is
# around it: ARGS=https://the-address-people-use.
drill doctor: $(VENV)/.installed
	@exec $(PY) main.py $@ $(ARGS)

test: $(VENV)/.installed-dev
	@$(PY) -m tests.support.chromium
	@$(PY) -m tests.support.nginx
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# All that is long as well, and the promise table of tests/README.md: ONLY='one engine' for one line of it.
proof: $(VENV)/.installed-dev
	@$(PY) -m tests.support.chromium
	@$(PY) -m tests.support.nginx
	@$(PY) -m tests.proof $(if $(ONLY),'$(ONLY)')

check: $(VENV)/.installed-dev
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

bench: $(VENV)/.installed-dev
	@$(PY) -m tests.support.chromium
	@$(PY) -m tests.bench $(ONLY)

# After words were added or changed: brings ui/text/*.po up to date and names what is to be translated.
words: $(VENV)/.installed-dev
	@$(PY) -m tests.support.catalogues

$(VENV)/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rushes needs Python 3.11 or newer; name one with: make run PYTHON=python3.12")'
	@test -x $(PY) || $(make_venv) || { echo "No virtual environment could be made. On Debian: apt install python3-venv"; exit 1; }
	@echo "Installing (once) ..."
	@$(install_lock) requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing the test tools (once) ..."
	@$(install_lock) requirements-dev.lock
	@touch $@

# Only for those who change the dependencies in pyproject.toml; needs uv.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements-dev.lock

# What people do with a checkout. Needs git, make and Python 3.11 or newer; everything else goes into .venv.
#   make check PYTHON=python3.13 VENV=.venv-3.13    another interpreter, in an environment of its own
#   make demo PEER=orthanc                          Orthanc is the second archive
#   make test ARGS="-k echo"                        more arguments for pytest (or for the benchmarks, the demo)

VENV ?= .venv
JOBS ?= 3
ARGS ?=
LOCK := requirements/dev.txt
READY := $(VENV)/.ready
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(VENV)-lock/bin/uv pip compile --quiet --no-config --upgrade \
	--universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links
PYTEST = $(RUN) -m pytest --numprocesses=$(JOBS) --dist=worksteal

# Without a choice by the caller: the first of these that is new enough, else python3, for the message below.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$name" && exit; \
	done; echo python3)

# Where files are kept in memory, if 2 GB fit: `make check` waits for no disk there, `make test` does.
MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 2000000 { print "/dev/shm" }')

# Tools are started hundreds of times; compiling them anew each time takes longer than what they do.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check coverage docs bench fuzz soak lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(READY)  ## the main job, shown
	@$(RUN) -m dicomwire.apps.demo $(if $(PEER),--peer $(PEER)) $(ARGS)

test: $(READY)  ## all tests
	$(PYTEST) $(ARGS)

# The static checks run beside the tests and speak after them. A fifth of the examples: tests/examples.py.
check: $(READY)  ## format, lint, types, generated files, and the tests that need no socket
	@said=$$(mktemp); trap 'rm -f "$$said"' EXIT; \
	{ $(RUN) -m ruff format --check . && $(RUN) -m ruff check . && $(RUN) -m mypy; } >"$$said" 2>&1 & static=$$!; \
	$(if $(MEMORY),TMPDIR=$(MEMORY)) DICOMWIRE_EXAMPLES=20 $(PYTEST) --numprocesses=auto -m "not socket and not peer" $(ARGS); tests=$$?; \
	wait $$static; static=$$?; cat "$$said"; exit $$((tests | static))

coverage: $(READY)  ## which branches of protocol/ and services/ their tests reach; at least 98 % of each
	@DICOMWIRE_EXAMPLES=20 $(RUN) -m tools.measure_coverage

docs: $(READY)  ## the documentation as a web site, in site/; a broken link or reference is an error
	@NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict --quiet $(ARGS)

bench: $(READY)  ## the benchmarks
	@$(RUN) -m bench $(ARGS)

# On an interpreter for which atheris has no wheel its lock installs nothing more, and the run says so.
fuzz: $(VENV)/.fuzz-ready  ## bytes that nobody thought of, a minute for each target
	@$(RUN) -m fuzz $(ARGS)

$(VENV)/.fuzz-ready: requirements/fuzz.txt $(READY)
	@$(INSTALL) --require-hashes --requirement requirements/fuzz.txt
	@touch $@

# One clear line for each way an interpreter can be unfit.
define FIT
python="$(PYTHON)"; \
unfit() { echo "$$python $$1" >&2; exit 1; }; \
"$$python" -c '' 2>/dev/null || unfit "does not run: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"; \
"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	unfit "is $$("$$python" -V 2>&1); dicomwire needs 3.11 or newer: make PYTHON=/path/to/python3"; \
"$$python" -c 'import ensurepip, venv' 2>/dev/null || \
	unfit "cannot make virtual environments: on Debian and Ubuntu, apt-get install python3-venv"
endef

# Done again only when the lock or pyproject.toml changed. The package itself comes last and without its dependencies:
# nothing gets in that the lock does not name.
$(READY): $(LOCK) pyproject.toml
	@$(RUN) -m pip --version >/dev/null 2>&1 || { $(FIT); \
		echo "making $(VENV) with $$python ($$("$$python" -V 2>&1))"; "$$python" -m venv $(VENV); }
	@echo "installing $(LOCK) into $(VENV)"
	@$(INSTALL) --require-hashes --requirement $(LOCK)
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

soak: $(READY)  ## 64 senders, aborts, resets and kills for some minutes; nothing may leak or be lost
	@$(RUN) -m bench.soak $(ARGS)

lock:  ## renew requirements/*.txt to the newest versions that pyproject.toml allows
	@test -x $(VENV)-lock/bin/uv || { $(FIT); "$$python" -m venv $(VENV)-lock && \
		$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	$(COMPILE) --extra dev --extra docs --output-file $(LOCK) pyproject.toml
	$(COMPILE) --extra fuzz --constraint $(LOCK) --output-file requirements/fuzz.txt pyproject.toml

clean:  ## remove the environment and everything made by the targets
	rm -rf $(VENV) $(VENV)-lock build dist site .fuzz .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

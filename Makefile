# SPDX-License-Identifier: Apache-2.0
# Two commands set everything up on a fresh machine: `make run` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export XDG_RUNTIME_DIR ?= $(CURDIR)/.runtime
export HF_HUB_OFFLINE := 1
export TOKENIZERS_PARALLELISM := false
# Where it is set, each of many processes would compile all sources anew; git ignores what is kept.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test chaos check bench notebook starter-scripts format clean

# torch first and pinned: a later resolution would otherwise fetch the CUDA build.
$(BIN)/.torch:
	@echo "==> creating $(VENV)"
	@command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	@echo "==> installing PyTorch (CPU)"
	@$(BIN)/pip install --quiet --progress-bar off torch==2.13.0
	@touch $@

$(BIN)/.server: $(BIN)/.torch pyproject.toml
	@echo "==> installing EUCORA (several minutes the first time)"
	@$(BIN)/pip install --quiet --progress-bar off -e '.[server]'
	@mkdir -p $(XDG_RUNTIME_DIR) && chmod 700 $(XDG_RUNTIME_DIR)
	@touch $@

# vus asks for TensorFlow (2 GB) for detectors that we do not use; its metric needs what is here.
$(BIN)/.test: $(BIN)/.server
	@echo "==> installing what tests need"
	@$(BIN)/pip install --quiet --progress-bar off -e '.[server,test]'
	@$(BIN)/pip install --quiet --progress-bar off --no-deps vus==0.0.6
	@touch $@

$(BIN)/.notebooks: $(BIN)/.server
	@echo "==> installing JupyterLab"
	@$(BIN)/pip install --quiet --progress-bar off -e '.[server,notebooks]'
	@touch $@

run: $(BIN)/.server
	@exec $(BIN)/eucora up

check: $(BIN)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Else each of many processes computes with a thread a core, and those wait for one another.
test chaos: export OMP_NUM_THREADS := 1

# Three at once on two cores: a third of the time they wait for processes and browsers.
test: $(BIN)/.test
	@scripts/install-test-packages
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# Longer than a submission should wait: `test` kills one or two in every gap, this all of them.
chaos: $(BIN)/.test
	timeout --signal=INT --kill-after=60 3600 $(BIN)/pytest -m chaos tests/chaos

# After every change of knowledge/scripts, or of what script analysis finds.
starter-scripts: $(BIN)/.server
	$(BIN)/python scripts/name-starter-scripts

bench: $(BIN)/.test
	$(BIN)/python -m benchmarks

# Asks nobody on the internet for news or newer versions: nothing leaves this machine. Jupyter
# refuses root unless told; it answers on loopback alone, to who has the token that it prints.
notebook: $(BIN)/.notebooks
	@exec $(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/explore_telemetry.ipynb \
	    --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.news_url=None \
	    --LabApp.extension_manager=readonly --ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root)

format: $(BIN)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .eucora .runtime

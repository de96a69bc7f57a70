# Barks & Meows: everything a reader, a teacher or a contributor calls. Run `make` for the list.

PYTHON ?= python3
VENV := .venv/bin/python
STAMP := .venv/.installed

# A relative DATASET is meant from where make was called, also with make -C.
export CALLER := $(PWD)
COURSE := $(CURDIR)
export COURSE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test lab app space sweep bench model shipped address clean

help:
	@echo 'make run     run the whole course headless into runs/ (DATASET=synthetic, kaggle or a folder)'
	@echo '             some lessons, other parameters: make run ARGS="04 05 -p SEED 1"'
	@echo 'make test    check the style, then run every test'
	@echo 'make lab     open the lessons in JupyterLab'
	@echo 'make app     open the demo page on this machine; a public link: make app ARGS=--share'
	@echo 'make space   write runs/space, the demo page as a Hugging Face Space'
	@echo '             with a model of your own: make app (or space) MODEL=path/to/model.tflite'
	@echo 'make sweep   run lesson 04 with some seeds and learning rates, end in a table and a figure'
	@echo '             another: make sweep ARGS="05 -p SEED 0,1,2 -p EPOCHS 10,20"'
	@echo 'make bench   measure on the recordings that DATASET names, some hours; ends with benchmarks/README.md'
	@echo 'make model   train on sounds of your own, a folder a class: make model DATASET=path NAME=mine'
	@echo 'make shipped train the model that the course ships on the recordings that DATASET names'
	@echo 'make address write the address in pyproject.toml into every badge and setup cell'
	@echo 'make setup   only install what the course needs, into .venv'
	@echo 'make clean   remove .venv, runs/ and caches; data/ stays'
	@echo
	@echo 'Another Python: make run PYTHON=python3.12'

# The stamp holds where the course lies and for whom it was installed: a moved or copied folder
# would otherwise import the old one's helpers, and another PYTHON would go unnoticed.
ifneq ($(shell sed -n 1p $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
else ifneq ($(origin PYTHON),file)
ifneq ($(shell sed -n 2p $(STAMP)),$(shell { "$(PYTHON)" -c 'import platform; print(platform.python_version())'; } 2>/dev/null))
.PHONY: $(STAMP)
endif
endif

setup: $(STAMP)
	@echo 'The course is installed in .venv.'

# The stamp goes first and comes back last, so an interrupted installation is taken up again.
$(STAMP): requirements.txt pyproject.toml
	@"$(PYTHON)" -c '' 2>/dev/null || { \
	  echo '$(PYTHON) does not run: name a Python from 3.11 to 3.13, for example: make run PYTHON=python3.12' >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "The course needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$("$(PYTHON)" -V 2>&1 | cut -d' ' -f2):" \
	    'name another, for example: make run PYTHON=python3.12' >&2; exit 1; }
	@rm -f $@
	@v='import platform; print(platform.python_version())'; \
	  [ "$$($(VENV) -c "$$v" 2>/dev/null)" = "$$("$(PYTHON)" -c "$$v")" ] && $(VENV) -m pip -V >/dev/null 2>&1 \
	  || "$(PYTHON)" -m venv --clear .venv
	@echo 'Installing what the course needs into .venv; the first time this takes some minutes.'
	@$(VENV) -m pip install --quiet --disable-pip-version-check --no-warn-script-location -r requirements.txt
	@{ echo "$$COURSE"; $(VENV) -c 'import platform; print(platform.python_version())'; } > $@.part
	@mv $@.part $@

run: $(STAMP)
	@cd "$$CALLER"; DATASET="$${DATASET:-synthetic}" "$$COURSE/$(VENV)" "$$COURSE/tools/run_all.py" $(ARGS)

sweep: $(STAMP)
	@cd "$$CALLER"; DATASET="$${DATASET:-synthetic}" "$$COURSE/$(VENV)" "$$COURSE/tools/sweep.py" $(ARGS)

# Notebook tests first, one lesson to a worker, so that the long ones do not end up in a row.
test: $(STAMP)
	@$(VENV) -m ruff check .
	@DATASET=synthetic $(VENV) -m pytest -n logical --maxprocesses 4 --dist loadgroup --no-loadscope-reorder $(ARGS)

lab: $(STAMP)
	@cd notebooks && ../$(VENV) -m jupyterlab 00_start_here.ipynb $(ARGS)

# As DATASET, a relative MODEL is meant from where make was called.
WITH_MODEL = $${MODEL:+--model "$$(case "$$MODEL" in (/*) echo "$$MODEL";; (*) echo "$$CALLER/$$MODEL";; esac)"}

app: $(STAMP)
	@$(VENV) -m helpers.demo $(WITH_MODEL) $(ARGS)

space: $(STAMP)
	@$(VENV) -m helpers.demo.space $(WITH_MODEL) $(ARGS)

address: $(STAMP)
	@$(VENV) tools/address.py

NEEDS_DATASET = @[ -n "$$DATASET" ] || { \
	  echo 'make $@ needs recordings: name them, for example: make $@ DATASET=$(1)' >&2; exit 1; }

# Many systems have a NAME in the environment: only one on the command line is meant.
model: $(STAMP)
	$(call NEEDS_DATASET,path/to/folder NAME=mine)
	@cd "$$CALLER"; "$$COURSE/$(VENV)" "$$COURSE/tools/train_model.py" --dataset "$$DATASET" \
	  $(if $(filter command,$(origin NAME)),--name "$(NAME)") $(ARGS)

bench: MEASURES := synthetic_to_real more_epochs ladder feature_comparison transfer_curve pretrained
shipped: MEASURES := pretrained
bench shipped: $(STAMP)
	$(call NEEDS_DATASET,kaggle)
	@cd "$$CALLER"; for measure in $(MEASURES); do \
	  echo "== $$measure"; "$$COURSE/$(VENV)" "$$COURSE/benchmarks/$$measure.py" --dataset "$$DATASET" || exit 1; done; \
	  "$$COURSE/$(VENV)" "$$COURSE/benchmarks/tables.py"

clean:
	rm -rf .venv .venv313 runs .pytest_cache .ruff_cache *.egg-info build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

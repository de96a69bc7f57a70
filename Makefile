# Barks & Meows: everything a reader, a teacher or a contributor calls. Run `make` for the list.

PYTHON ?= python3
VENV := .venv/bin/python
STAMP := .venv/.installed
REQUIREMENTS ?= requirements.lock

# A relative DATASET is meant from where make was called, also with make -C.
export CALLER := $(PWD)
COURSE := $(CURDIR)
export COURSE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test lab app space site sweep bench large model shipped student glossary \
  address lock fuzz clean

help:
	@echo 'Begin here:'
	@echo '  make lab      open the lessons in JupyterLab'
	@echo '  make run      run all lessons on synthetic clips; reports in runs/'
	@echo '                  real clips:   make run DATASET=kaggle (or a folder)'
	@echo '                  some lessons: make run ARGS="04 05 -p SEED 1"'
	@echo '                  in order, not side by side: make run ARGS="-j 1"'
	@echo '  make app      open the demo page; a public link: make app ARGS=--share'
	@echo
	@echo 'Go further:'
	@echo '  make sweep    run lesson 04 with several seeds and learning rates'
	@echo '                  another: make sweep ARGS="05 -p SEED 0,1 -p EPOCHS 5,9"'
	@echo '  make model    train on sounds of your own, a folder a class:'
	@echo '                  make model DATASET=path/to/folder NAME=mine'
	@echo '                  that says "neither", too: BACKGROUND=elsewhere'
	@echo '  make space    write runs/space, the demo page as a Hugging Face Space'
	@echo '                  with your model: make space (or app) MODEL=runs/models/mine'
	@echo '  make site     write runs/site, the lessons as a book (needs npm)'
	@echo '  make large    a million clips, on Dask: report, features, predictions, audit'
	@echo '                  of a folder or a table, also on s3://:'
	@echo '                  make large DATASET=clips.csv'
	@echo '                  on your cluster: DASK_SCHEDULER=tcp://HOST:8786 make large ...'
	@echo '  make bench    measure on the clips of DATASET, for some hours; what leaves'
	@echo '                  out sources takes ELSEWHERE=elsewhere beside them'
	@echo
	@echo 'Teach:'
	@echo '  make student  write runs/student, the course without its solutions'
	@echo
	@echo 'Take part:'
	@echo '  make shipped  train the shipped models anew: DATASET=kaggle+elsewhere'
	@echo '                  (and 1.8 GB of free games, for their sounds)'
	@echo '  make test     check the style, then run every test'
	@echo '  make fuzz     try damaged files: make fuzz ARGS="--seconds 600"'
	@echo '  make glossary link the lessons to the glossary, and count their hours anew'
	@echo '  make address  write the address in pyproject.toml into every lesson'
	@echo '  make lock     renew requirements.lock from requirements.txt (needs uv)'
	@echo '  make setup    only install what the course needs, into .venv'
	@echo '  make clean    remove .venv, runs/ and caches; data/ stays'
	@echo
	@echo 'Another Python:      make run PYTHON=python3.12'
	@echo 'The newest packages: make setup REQUIREMENTS=requirements.txt'

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
$(STAMP): $(REQUIREMENTS) pyproject.toml
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
	@if uv --version >/dev/null 2>&1; then uv pip install --compile-bytecode --python $(VENV) -r $(REQUIREMENTS) -e .; \
	  else $(VENV) -m pip install --disable-pip-version-check --no-warn-script-location -r $(REQUIREMENTS) -e .; fi
	@$(VENV) -c 'import librosa.core.audio'  # numba compiles a part of it once, some 15 s: not in a lesson
	@{ echo "$$COURSE"; $(VENV) -c 'import platform; print(platform.python_version())'; } > $@.part
	@mv $@.part $@

run: $(STAMP)
	@cd "$$CALLER"; DATASET="$${DATASET:-synthetic}" "$$COURSE/$(VENV)" "$$COURSE/tools/run_all.py" $(ARGS)

sweep: $(STAMP)
	@cd "$$CALLER"; DATASET="$${DATASET:-synthetic}" "$$COURSE/$(VENV)" "$$COURSE/tools/sweep.py" $(ARGS)

# Notebook tests first, one lesson to a worker, so that the long ones do not end up in a row.
test: $(STAMP)
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@DATASET=synthetic $(VENV) -m pytest -n logical --maxprocesses 4 --dist loadgroup --no-loadscope-reorder $(ARGS)

fuzz: $(STAMP)
	@$(VENV) tests/fuzz.py $(ARGS)

lab: $(STAMP)
	@root=; [ "$$(id -u)" != 0 ] || root=--allow-root; \
	  cd notebooks && ../$(VENV) -m jupyterlab 00_start_here.ipynb $$root $(ARGS)

# As DATASET, a relative MODEL is meant from where make was called; yamnet is a name.
WITH_MODEL = $${MODEL:+--model "$$(case "$$MODEL" in (/*|yamnet) echo "$$MODEL";; (*) echo "$$CALLER/$$MODEL";; esac)"}

app: $(STAMP)
	@$(VENV) -m helpers.demo $(WITH_MODEL) $(ARGS)

space: $(STAMP)
	@$(VENV) -m helpers.demo.space $(WITH_MODEL) $(ARGS)

site: $(STAMP)
	@if uv --version >/dev/null 2>&1; then uv pip install --quiet --python $(VENV) -r site/requirements.txt; \
	  else $(VENV) -m pip install --quiet --disable-pip-version-check -r site/requirements.txt; fi
	@$(VENV) tools/book.py $(ARGS)

student: $(STAMP)
	@$(VENV) tools/student.py $(ARGS)

glossary: $(STAMP)
	@$(VENV) tools/lesson_table.py --write
	@$(VENV) tools/glossary.py

address: $(STAMP)
	@$(VENV) tools/address.py

NEEDS_DATASET = @[ -n "$$DATASET" ] || { \
	  echo 'make $@ needs recordings: name them, for example: make $@ DATASET=$(1)' >&2; exit 1; }

# A URL is meant as it stands, a relative path from where make was called.
large: $(STAMP)
	$(call NEEDS_DATASET,path/to/clips.csv)
	@if uv --version >/dev/null 2>&1; then uv pip install --quiet --python $(VENV) -r helpers/datasets/large/requirements.txt; \
	  else $(VENV) -m pip install --quiet --disable-pip-version-check -r helpers/datasets/large/requirements.txt; fi
	@cd "$$CALLER"; "$$COURSE/$(VENV)" -m helpers.datasets.large "$$DATASET" $(if $(OUT),--out "$(OUT)") $(ARGS)

# Many systems have a NAME in the environment: only one on the command line is meant.
model: $(STAMP)
	$(call NEEDS_DATASET,path/to/folder NAME=mine)
	@cd "$$CALLER"; "$$COURSE/$(VENV)" "$$COURSE/tools/train_model.py" --dataset "$$DATASET" \
	  $(if $(BACKGROUND),--background "$(BACKGROUND)") \
	  $(if $(filter command,$(origin NAME)),--name "$(NAME)") $(ARGS)

# The newest of what requirements.txt allows, for every system and Python that the course runs on.
lock:
	@{ echo '# The tested set, of requirements.txt by `make lock`; the course itself is not among it.'; \
	  uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --no-emit-package barks-and-meows requirements.txt; \
	  } > requirements.lock.part
	@mv requirements.lock.part requirements.lock

# Each goes on where it was interrupted. AUDIT and AWAY are about whole sources: they want several.
ELSEWHERE ?= elsewhere
bench: MEASURES := synthetic_to_real more_epochs ladder degraded_copies feature_comparison transfer_curve
bench: AUDIT := source_audit
bench shipped: AWAY := shipped yamnet_head
bench: ONLY := --measure-only
bench shipped: $(STAMP)
	$(call NEEDS_DATASET,$(if $(filter shipped,$@),kaggle+elsewhere,kaggle))
	@case "$(if $(MEASURES),+$$DATASET+)" in (*"+$(ELSEWHERE)+"*) \
	  echo 'make bench joins ELSEWHERE itself where sources are left out: name the other recordings' \
	    'alone, for example: make bench DATASET=kaggle' >&2; exit 1;; esac
	@cd "$$CALLER"; away="$$DATASET$(if $(MEASURES),+$(ELSEWHERE))"; measure() { echo "== $$1"; \
	  name=$$1; shift; "$$COURSE/$(VENV)" "$$COURSE/benchmarks/$$name.py" --dataset "$$@" || exit 1; }; \
	  measure sources_left_out "$$away"; \
	  for name in $(MEASURES); do measure $$name "$$DATASET"; done; \
	  for name in $(AUDIT); do measure $$name "$$away"; done; \
	  for name in $(AWAY); do measure $$name "$$away" $(ONLY); done; \
	  "$$COURSE/$(VENV)" "$$COURSE/benchmarks/tables.py"

clean:
	rm -rf .venv .venv313 runs .pytest_cache .ruff_cache *.egg-info build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

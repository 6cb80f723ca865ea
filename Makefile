# Short names; what they do stands in the scripts.
.PHONY: demo test lint shape bench lighthouse soak lock screenshots gallery

PYTHON = .venv/bin/python
# Number of random histories that `make soak` runs on each database: of writes, of syncs, of jobs.
HISTORIES = 500
SYNCS = 1000
JOBS = 500
COMPILE = $(PYTHON) -m uv pip compile --quiet --generate-hashes --universal --python-version 3.12 \
	--no-header --no-emit-index-url --no-emit-find-links

demo:
	sh bin/demo

test:
	sh bin/test

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

# Sizes, strict typing, imports between packages.
shape:
	$(PYTHON) bin/shape.py

# Every page in every state, as pictures and as a contact sheet: build/gallery/index.html. Also makes
# the checks of the tests. ONLY="Orders or Setup" takes a part.
ONLY =
gallery:
	GALLERY=build/gallery $(PYTHON) -m pytest -q integration/browser/gallery -k "$(ONLY)"

# Pictures of the README from a running demo (URL=http://localhost:8000); needs pngquant.
screenshots:
	$(PYTHON) -m bin.screenshots

# ORDERS=1000000 make bench is the full run; make bench PARTS="list peers" a part of it.
bench:
	sh bin/bench $(PARTS)

# Scores of Lighthouse for the list and an order's page; needs Node 18 or newer with npm.
lighthouse:
	sh bin/lighthouse

soak:
	SOAK_HISTORIES=$(HISTORIES) SOAK_SYNCS=$(SYNCS) SOAK_JOBS=$(JOBS) sh bin/test \
		orders/tests/test_operation_histories.py orders/tests/test_sync_property.py \
		orders/tests/test_sync_command.py orders/tests/test_job_histories.py

# Needs uv (pip install uv). The lock names no index, so that anybody's mirror will do.
lock:
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements-rq.in --constraints requirements.txt --output-file requirements-rq.txt
	$(COMPILE) requirements-dev.in --constraints requirements.txt --output-file requirements-dev.txt
	$(COMPILE) requirements-bench.in --output-file requirements-bench.txt
	@! grep -nE '^--|https?://' requirements*.txt

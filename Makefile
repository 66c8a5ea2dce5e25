# make run: everything on this machine, until Ctrl-C.   make test: everything checked.
.PHONY: run test lint bench shots pins
bin = .venv/bin
postgresql_15 = /usr/lib/postgresql/15/bin

run:
	@./set-up.sh
	@exec $(bin)/python -m server.stack

test: lint
	@$(bin)/python -m pytest -n auto --dist loadgroup
	@[ ! -d $(postgresql_15) ] || EBRANCH_TEST_POSTGRES=$(postgresql_15) $(bin)/python -m pytest -n auto --dist loadgroup \
		-m database

lint:
	@./set-up.sh tests
	@$(bin)/ruff check .
	@$(bin)/mypy
	@$(bin)/djlint pages --lint --quiet
	@$(bin)/lint-imports

bench:
	@./set-up.sh tests
	@$(bin)/python -m tests.bench $(ONLY)

shots:
	@./set-up.sh tests
	@$(bin)/python -m tests.browser.shots

pins:
	@./set-up.sh tests
	@for list in requirements requirements-dev; do $(bin)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate $$list.in --output-file $$list.txt || exit 1; done
	@npm update --package-lock-only --silent

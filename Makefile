# Every target installs what it needs first; a second run of any repeats no set-up.

PORT ?= 8787
SEEDS ?= 100000
SECONDS ?= 300

.DEFAULT_GOAL := help
.PHONY: help setup dev build test test-host test-e2e test-model bench eval-schema faults simulate simulate-deadline simulate-fleet fuzz deploy key doc fmt clean distclean

help: ## show this
	@printf 'Breakwater, an LLM gateway at the edge.\n\n'
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-18s %s\n' "$$name" "$$what"; done

setup: ## install what is missing, and nothing else
	@bash scripts/setup.sh

dev: setup ## serve on http://127.0.0.1:8787, open on loopback (PORT=8788 changes it)
	@PORT=$(PORT) bash scripts/dev.sh

build: setup ## build the worker into build/
	@bash scripts/build.sh

test: setup ## run everything: formatting, lints, host tests, the build, end-to-end tests, a real model
	@bash scripts/test.sh

test-host: ## run the core's tests only, which need nothing but cargo
	@bash scripts/test.sh host

test-e2e: setup ## run the end-to-end tests in workerd only
	@bash scripts/test.sh e2e

test-model: setup ## run the tests with a real model server only
	@bash scripts/test.sh model

bench: build ## measure against a bare pass-through worker (ARGS=--quick for a short run)
	@bash -c '. scripts/env.sh && node bench/run.mjs $(ARGS)'

eval-schema: build ## measure how many answers of a small real model are valid by a schema, and what makes the others so (ARGS="--tasks 5")
	@bash scripts/eval-schema.sh $(ARGS)

simulate: ## run the random simulation for longer (SEEDS=100000)
	@SEEDS=$(SEEDS) cargo test --release --no-default-features --test simulation -- --nocapture

simulate-deadline: ## compare the deadline's rule with fixed timeouts, and print the table
	@cargo test --release --no-default-features --test deadline -- --nocapture --test-threads=1

simulate-fleet: ## simulate the breakers of ten thousand isolates, and write docs/fleet.md and its plot
	@cargo test --release --no-default-features --test fleet -- --nocapture --ignored full_size

fuzz: ## feed every reader of others' bytes with mutated traffic for longer (SECONDS=300)
	@FUZZ_SECONDS=$(SECONDS) cargo test --release --no-default-features --test fuzz -- --nocapture

faults: setup ## print what each fault of an upstream comes to, over sockets, as a table
	@bash scripts/build.sh && bash scripts/faults.sh

deploy: setup ## deploy to Cloudflare by wrangler (ARGS are passed on)
	@bash scripts/deploy.sh $(ARGS)

key: ## make a caller's key (NAME=alice, optionally ROUTES=smart,fast DIRECT=yes SCOPE=team-a ADMIN=yes)
	@NAME='$(NAME)' ROUTES='$(ROUTES)' DIRECT='$(DIRECT)' SCOPE='$(SCOPE)' bash scripts/key.sh

doc: ## build the documentation of the code
	@cargo doc --workspace --no-deps --document-private-items

fmt: ## format the code
	@cargo fmt --all

clean: ## remove what was built
	@rm -rf build target .wrangler/tmp

distclean: clean ## remove what was installed into this folder too, and local state
	@rm -rf node_modules .wrangler

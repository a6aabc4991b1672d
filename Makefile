# Entry points for people. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-tests demo check test lies soak soak-network bench bench-dataplane bench-network pack docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing to run (apt packages, npm packages with Node 24)
	@bash scripts/setup.sh

setup-tests:
	@bash scripts/setup.sh --tests

demo: setup ## simulate a genome, run the whole analysis on it, show the report's place
	@./helixmesh demo

check: ## lint, types, unused code, layout rules
	@bash scripts/check.sh

test: setup-tests ## set up, check, and run every test
	@bash scripts/test.sh

lies: setup-tests ## take out each guard against a lie, and see its test fail
	@bash scripts/node.sh test/lies/remove-guards.ts

soak: setup ## kill everything at every journaled point of a 24-contig job
	@bash scripts/test.sh soak

soak-network: setup ## kill nodes of a network fifty times under four samples
	@bash scripts/test.sh soak-network

bench-dataplane: setup ## measure storing and fetching sealed files against plain tools
	@bash scripts/node.sh benchmarks/dataplane/dataplane.ts

bench-network: setup ## measure an analysis on a network of this machine against one without
	@bash scripts/node.sh benchmarks/network/network.ts

bench: setup ## measure the ranking of nodes, and the analysis against a hand-written script
	@bash scripts/node.sh benchmarks/scheduler/scheduler.ts
	@bash scripts/node.sh benchmarks/pipeline/pipeline.ts

pack: ## make an installable tarball of the CLI in dist/
	@npm run --silent pack

docs: ## write the generated reference pages anew
	@npm run --silent docs

clean: ## delete build output, the demo folder and test leftovers (not node_modules)
	@bash scripts/clean.sh

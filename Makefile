# Everything a newcomer needs. `make help` lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup check test demo soak bench clean

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: ## Install what is missing: Node 24, npm packages, genomics tools
	@bash scripts/setup.sh

check: setup ## Lint, types, dead code and the rules of the layout
	@bash scripts/check.sh

test: setup ## Check and run the whole test suite
	@bash scripts/test.sh

demo: setup ## Simulate a genome, analyse it, open-ready report in ./helixmesh-demo
	@./helixmesh demo

soak: setup ## Kill everything at every journaled point of a 24-contig sample (long)
	@bash scripts/node.sh --test --test-reporter=spec test/soak/*.soak.ts

bench: setup ## Measure against a bash script of the same tools (long)
	@bash scripts/node.sh benchmarks/pipeline/pipeline.ts

clean: ## Remove what was built and the demo
	rm -rf helixmesh-demo packages/*/dist apps/*/dist node_modules/.cache

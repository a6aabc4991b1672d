#!/usr/bin/env bash
# Lint and format, types, dead code, the rules of the layout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

biome ci --error-on-warnings .
tsc -b
knip
bash scripts/node.sh --test --test-reporter=dot test/tidy/*.test.ts

#!/usr/bin/env bash
# Lint and format, types, unused code, layout rules. Runs all four and fails when one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
failed=()
run() {
  local name=$1
  shift
  local started=$SECONDS
  if "$@"; then
    echo "check: $name ok ($((SECONDS - started)) s)"
  else
    failed+=("$name")
  fi
}
run lint biome ci --error-on-warnings .
run types tsc -b
run unused knip --no-progress --no-config-hints
run layout node --test --test-reporter=./scripts/test-reporter.ts test/tidy/*.test.ts
if [ ${#failed[@]} -gt 0 ]; then
  echo "check: failed: ${failed[*]}" >&2
  exit 1
fi

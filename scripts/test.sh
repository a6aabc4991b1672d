#!/usr/bin/env bash
# The whole suite, fast tests first. Arguments are passed on to the test runner.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash scripts/check.sh
mapfile -t units < <(find packages apps -name '*.test.ts' -path '*/src/*' | sort)
mapfile -t whole < <(find test -name '*.test.ts' -not -path 'test/tidy/*' | sort)
[ ${#units[@]} -gt 0 ] && [ ${#whole[@]} -gt 0 ] || { echo 'error: no tests found' >&2; exit 1; }
echo '== unit and property tests'
bash scripts/node.sh --test --test-reporter=spec --test-concurrency=2 "$@" "${units[@]}"
echo '== whole-system tests'
bash scripts/node.sh --test --test-reporter=spec --test-concurrency=1 "$@" "${whole[@]}"

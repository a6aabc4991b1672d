#!/usr/bin/env bash
# Runs tests and prints 'N passed, N failed, N skipped' for each part.
#   scripts/test.sh              check, then unit, then end to end
#   scripts/test.sh unit|e2e     one part
#   scripts/test.sh soak         the long crash tests (test/**/*.soak.ts)
#   scripts/test.sh soak-network the one of them that is about a network
#   scripts/test.sh FILE…        these files
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
export HELIXMESH_TEST=1
readonly TIMEOUT_MS=240000
readonly SOAK_TIMEOUT_MS=7200000

run_files() {
  local title=$1 timeout=$2
  shift 2
  if [ $# -eq 0 ]; then
    echo "error: there is no $title test" >&2
    return 1
  fi
  local log status=0
  log=$(mktemp)
  echo "── $title tests ($# files)"
  node --conditions=development --disable-warning=ExperimentalWarning --test \
    --test-concurrency=2 --test-timeout="$timeout" \
    --test-reporter=./scripts/test-reporter.ts --test-reporter-destination=stdout \
    "$@" < /dev/null | tee "$log" || status=1
  if ! grep -Eq '^[1-9][0-9]* passed, ' "$log"; then
    echo "error: no $title test has run" >&2
    status=1
  fi
  rm -f "$log"
  return "$status"
}

list() { find "$@" -not -path '*/node_modules/*' -not -path '*/dist/*' | LC_ALL=C sort; }

unit() {
  mapfile -t files < <(list packages apps -name '*.test.ts')
  run_files unit "$TIMEOUT_MS" "${files[@]}"
}

e2e() {
  mapfile -t files < <(list test -name '*.test.ts' -not -path 'test/tidy/*')
  run_files end-to-end "$TIMEOUT_MS" "${files[@]}"
}

soak() {
  mapfile -t files < <(list test packages -name '*.soak.ts')
  run_files soak "$SOAK_TIMEOUT_MS" "${files[@]}"
}

soak-network() { run_files soak "$SOAK_TIMEOUT_MS" test/soak/network.soak.ts; }

case "${1:-all}" in
  all)
    status=0
    bash scripts/check.sh || status=1
    unit || status=1
    e2e || status=1
    exit "$status"
    ;;
  unit | e2e | soak | soak-network) "$1" ;;
  *) run_files chosen "$TIMEOUT_MS" "$@" ;;
esac

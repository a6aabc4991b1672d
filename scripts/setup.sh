#!/usr/bin/env bash
# Installs what is missing on a Debian or Ubuntu machine, says what and why, asks nothing.
# Running it again installs nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "setup: $*"; }
fail() {
  echo "error: $1" >&2
  echo "  → $2" >&2
  exit 69
}

# command → Debian package: what the pipeline runs, then what its tests need.
pipeline_tools='fastp:fastp bwa:bwa minimap2:minimap2 samtools:samtools bcftools:bcftools
  tabix:tabix freebayes:freebayes bwrap:bubblewrap java:default-jre-headless snpEff:snpeff'
test_tools='pdftoppm:poppler-utils sqlite3:sqlite3 chromium:chromium'

missing=()
for pair in $pipeline_tools $test_tools; do
  command -v "${pair%%:*}" > /dev/null || missing+=("${pair#*:}")
done
command -v node > /dev/null || missing+=(nodejs)
command -v npm > /dev/null || missing+=(npm)

if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get > /dev/null ||
    fail "this machine has no apt-get" "install these yourself: ${missing[*]}"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || fail "root is needed to install ${missing[*]}" "run as root, or install sudo"
    as_root=(sudo)
  fi
  say "installing with apt: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

# npm brings Node 24 itself (package `node`); the system's Node only runs npm.
stamp=node_modules/.helixmesh-lock
if ! cmp -s package-lock.json "$stamp"; then
  say "installing npm packages, Node 24 among them"
  npm ci --no-audit --no-fund --loglevel=error 2>&1 | grep -v -e '^npm warn' -e '^$' || true
  [ -x node_modules/.bin/node ] || fail "npm could not install the packages" "run: npm ci"
  cp package-lock.json "$stamp"
fi

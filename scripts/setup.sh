#!/usr/bin/env bash
# Installs what is missing and nothing else. Safe to run again; asks no question.
#   scripts/setup.sh           what the product needs
#   scripts/setup.sh --tests   and what the tests need
set -euo pipefail
cd "$(dirname "$0")/.."

# Command that proves presence | Debian package | what for
readonly RUNTIME='
fastp|fastp|reads: adapters, filters, quality figures
bwa|bwa|alignment of short reads
minimap2|minimap2|alignment, the alternative
samtools|samtools|sorting, duplicates, indexing of alignments
bcftools|bcftools|calling, normalising and annotating variants
tabix|tabix|bgzip and tabix: compressed, indexed tables
freebayes|freebayes|calling variants by haplotype
snpEff|snpeff|HGVS names (brings a Java runtime)
bwrap|bubblewrap|the sandbox around each tool
'
readonly NODE='
node|nodejs|to start npm; Node 24 itself comes through npm
npm|npm|the npm packages
'
readonly TESTS='
pdftoppm|poppler-utils|pictures of the PDF report
chromium|chromium|pictures of the HTML report, cryptography in a browser
sqlite3|sqlite3|reading the journal from outside
git|git|the rules that look at tracked files
'

packages=()
say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'error: %s\n  → %s\n' "$1" "$2" >&2
  exit 69
}

note_missing() {
  local command package purpose
  while IFS='|' read -r command package purpose; do
    [ -n "$command" ] || continue
    # Ubuntu's chromium is a snap under another name.
    if [ "$command" = chromium ] && command -v chromium-browser google-chrome > /dev/null 2>&1; then
      continue
    fi
    if ! command -v "$command" > /dev/null 2>&1; then
      packages+=("$package")
      say "missing: $package ($purpose)"
    fi
  done <<< "$1"
}

install_packages() {
  command -v apt-get > /dev/null 2>&1 || fail \
    "these programs are missing and this is not a Debian or Ubuntu machine: ${packages[*]}" \
    'Install them with your package manager, then run this again.'
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null 2>&1 || fail \
      "installing ${packages[*]} needs root, and there is no sudo" \
      "As root: apt-get install -y --no-install-recommends ${packages[*]}"
    as_root=(sudo)
  fi
  say "installing with apt: ${packages[*]}"
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -q \
    && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends "${packages[@]}"; } > "$log" 2>&1 < /dev/null; then
    tail -n 20 "$log" >&2
    fail 'apt-get failed (its last lines stand above)' \
      "Mend that, or install by hand: ${packages[*]}"
  fi
  rm -f "$log"
}

# Install scripts stay off, telemetry with them; `node` alone needs its own, which fetches the
# binary. The stamp makes a second run a matter of milliseconds.
install_npm_packages() {
  local stamp=node_modules/.helixmesh-lock want
  want=$(sha256sum package-lock.json | cut -d ' ' -f 1)
  if [ -x node_modules/.bin/node ] && [ "$(cat "$stamp" 2> /dev/null || true)" = "$want" ]; then
    return
  fi
  say 'installing the npm packages of package-lock.json, Node 24 among them (about 650 MB)'
  export SCARF_ANALYTICS=false npm_config_update_notifier=false
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error < /dev/null
  npm rebuild node --loglevel=error < /dev/null > /dev/null
  node_modules/.bin/node --version > /dev/null || fail 'Node 24 did not install' \
    'Check the network and run `make setup` again.'
  echo "$want" > "$stamp"
}

note_missing "$RUNTIME"
[ -x node_modules/.bin/node ] && [ -f node_modules/.helixmesh-lock ] \
  && command -v npm > /dev/null 2>&1 || note_missing "$NODE"
if [ "${1:-}" = --tests ]; then note_missing "$TESTS"; fi
if [ ${#packages[@]} -gt 0 ]; then
  install_packages
fi
install_npm_packages
say "ready: Node $(node_modules/.bin/node --version), all tools present"

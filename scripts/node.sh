#!/usr/bin/env bash
# Node 24 of this checkout, reading the TypeScript sources as they are.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
exec "$root/node_modules/.bin/node" --conditions=development "$@"

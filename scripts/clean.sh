#!/usr/bin/env bash
# Deletes what builds, tests and the demo have made in this working copy.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf dist packages/*/dist apps/*/dist helixmesh-demo node_modules/.cache
echo 'Deleted build output and ./helixmesh-demo.'

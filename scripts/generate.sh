#!/usr/bin/env bash
# Writes the code that is generated from packages/protocol/proto (needs protoc: apt-get install
# protobuf-compiler).
set -euo pipefail
cd "$(dirname "$0")/../packages/protocol"
PATH="$PWD/../../node_modules/.bin:$PATH"
out=${1:-src/gen}
mkdir -p "$out"
protoc --proto_path=proto --es_out="$out" --es_opt=target=ts,import_extension=ts \
  $(find proto -name '*.proto' | sort)

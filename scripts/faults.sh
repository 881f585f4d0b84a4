#!/usr/bin/env bash
# Prints what each fault of an upstream comes to, as the end-to-end tests see it over sockets.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

table=$(mktemp)
trap 'rm -f "$table"' EXIT
FAULTS=$table node --test --test-reporter=dot tests/e2e/faults.test.mjs >&2
cat "$table"

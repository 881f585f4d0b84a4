#!/usr/bin/env bash
# Prints how many answers of a small real model are valid by the schema that was asked for, and what makes how many of the others valid.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

BREAKWATER_PYTHON=$(bash scripts/python.sh)
export BREAKWATER_PYTHON
node bench/eval-schema.mjs "$@"

#!/usr/bin/env bash
# Runs the suites, all of them even when one fails, and ends with each one's counts. With a name (host, e2e, model): that one only.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

only=${1:-all}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
summary=()
passed=0 failed=0 skipped=0

# suite NAME COMMAND…: runs it, shows what it prints, and counts it by its own closing lines. None that ran is a failure.
suite() {
  local name=$1 log=$logs/$1.log begun=$SECONDS ok bad skip status
  shift
  printf '\n=== %s\n' "$name"
  "$@" 2>&1 </dev/null | tee "$log"
  status=${PIPESTATUS[0]}
  # cargo test, node's test runner, and Python's unittest, each as it says it.
  ok=$(sed -nE 's/^test result: .* ([0-9]+) passed.*/\1/p; s/^(ℹ|#) pass ([0-9]+)$/\2/p; s/^Ran ([0-9]+) tests? in.*/\1/p' "$log" | awk '{ sum += $1 } END { print sum + 0 }')
  bad=$(sed -nE 's/^test result: .*; ([0-9]+) failed.*/\1/p; s/^(ℹ|#) (fail|cancelled) ([0-9]+)$/\3/p; s/^FAILED \((failures|errors)=([0-9]+).*/\2/p' "$log" | awk '{ sum += $1 } END { print sum + 0 }')
  skip=$(sed -nE 's/^test result: .*; ([0-9]+) ignored.*/\1/p; s/^(ℹ|#) skipped ([0-9]+)$/\2/p; s/^OK \(skipped=([0-9]+)\)/\1/p' "$log" | awk '{ sum += $1 } END { print sum + 0 }')
  ok=${ok:-0} bad=${bad:-0} skip=${skip:-0}
  if grep -q '^Ran [0-9]* test' "$log"; then ok=$((ok - bad - skip)); fi
  if [ "$ok" = 0 ] && [ "$bad" = 0 ] && [ "$status" = 0 ]; then
    echo "$name ran no test" && status=1
  fi
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  count "$name" "$ok" "$bad" "$skip" $((SECONDS - begun))
}

# check NAME COMMAND…: passes or fails as one.
check() {
  local name=$1 begun=$SECONDS
  shift
  printf '\n=== %s\n' "$name"
  if "$@" </dev/null; then count "$name" 1 0 0 $((SECONDS - begun)); else count "$name" 0 1 0 $((SECONDS - begun)); fi
}

count() {
  passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
  summary+=("$(printf '%-14s %5d passed, %d failed, %d skipped, %d s' "$1:" "$2" "$3" "$4" "$5")")
}

wants() { [ "$only" = all ] || [ "$only" = "$1" ]; }

if [ "$only" = all ]; then
  check format cargo fmt --check
  check clippy cargo clippy --locked --all-targets -- -D warnings
  check clippy-core cargo clippy --locked --all-targets --no-default-features -- -D warnings
  check rustdoc env RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --no-default-features
fi
if wants host; then suite host cargo test --locked --no-default-features; fi
if wants e2e || wants model; then check build bash scripts/build.sh; fi
if wants e2e; then
  suite e2e node --test --test-reporter=spec --test-concurrency=1 'tests/e2e/*.test.mjs'
  if python=$(bash scripts/python.sh); then
    suite python "$python" -m unittest discover -s tests/e2e -p '*_test.py'
  else
    check python false
  fi
fi
if wants model; then
  if BREAKWATER_PYTHON=$(bash scripts/python.sh); then
    export BREAKWATER_PYTHON
    suite model node --test --test-reporter=spec 'tests/e2e/model/*.test.mjs'
  else
    check model false
  fi
fi

printf '\n'
printf '%s\n' "${summary[@]}"
printf '\ntotal: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]

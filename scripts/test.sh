#!/usr/bin/env bash
# Runs the suites, all of them even when one fails, and ends with each one's counts. With a name (host, e2e, python, model): that one only;
# e2e includes python.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

only=${1:-all}
case $only in
  all | host | e2e | python | model) ;;
  *) echo "there is no suite '$only'; there are host, e2e, python and model" >&2 && exit 2 ;;
esac
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
summary=()
passed=0 failed=0 skipped=0

sum() { awk '{ sum += $1 } END { print sum + 0 }'; }

# What unittest's closing line has in its parentheses, each on a line.
words() { sed -nE 's/^(OK|FAILED) \((.*)\)$/\2/p' "$1" | sed 's/, /,/g' | tr ',' '\n'; }

# suite NAME COMMAND…: runs it, shows what it prints, and counts it by its own closing lines. None that ran is a failure.
suite() {
  local name=$1 log=$logs/$1.log begun=$SECONDS ok bad skip status
  shift
  printf '\n=== %s\n' "$name"
  "$@" 2>&1 </dev/null | tee "$log"
  status=${PIPESTATUS[0]}
  # cargo test, and node's test runner, each as it says it.
  ok=$(sed -nE 's/^test result: .* ([0-9]+) passed.*/\1/p; s/^(ℹ|#) pass ([0-9]+)$/\2/p' "$log" | sum)
  bad=$(sed -nE 's/^test result: .*; ([0-9]+) failed.*/\1/p; s/^(ℹ|#) (fail|cancelled) ([0-9]+)$/\3/p' "$log" | sum)
  skip=$(sed -nE 's/^test result: .*; ([0-9]+) ignored.*/\1/p; s/^(ℹ|#) skipped ([0-9]+)$/\2/p' "$log" | sum)
  # Python's unittest, which says how many ran, skipped ones included, and then what went wrong: "FAILED (failures=1, errors=2)".
  local ran wrong left
  ran=$(sed -nE 's/^Ran ([0-9]+) tests? in.*/\1/p' "$log" | sum)
  wrong=$(words "$log" | sed -nE 's/^(failures|errors|unexpected successes)=//p' | sum)
  left=$(words "$log" | sed -n 's/^skipped=//p' | sum)
  # One test may fail in several of its parts, and what cannot be set up fails without having run.
  ok=$((ok + (ran > wrong + left ? ran - wrong - left : 0))) bad=$((bad + wrong)) skip=$((skip + left))
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
  check format cargo fmt --all --check
  check clippy cargo clippy --locked --workspace --all-targets -- -D warnings
  check clippy-core cargo clippy --locked --workspace --all-targets --no-default-features -- -D warnings
  check rustdoc env RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --no-default-features
fi
if wants host; then suite host cargo test --locked --workspace --no-default-features; fi
if [ "$only" != host ]; then check build bash scripts/build.sh; fi
if wants e2e; then
  suite e2e node --test --test-reporter=spec --test-concurrency=1 'tests/e2e/*.test.mjs'
fi
if wants e2e || wants python; then
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

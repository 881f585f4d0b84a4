#!/usr/bin/env bash
# Prints the path of a Python that has what the tests need, installing it first where it is missing: the packages of
# tests/e2e/requirements.txt and, without their dependencies, those of tests/e2e/requirements-no-deps.txt.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

fail() {
  echo "$1" >&2
  exit 1
}

python=$(command -v python3) || fail 'python3 is not on PATH; install Python 3.11 or later'
# A version manager's python3 is a script that looks for the real one, in a folder that changes: the real one is kept.
python=$("$python" -c 'import sys; print(sys.executable)')
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$("$python" --version) is too old; install Python 3.11 or later"
wanted=$( { cat "$root"/tests/e2e/requirements*.txt; "$python" -c 'import sys; print(sys.executable, sys.version)'; } | cksum | cut -d ' ' -f 1)
home=$tools/python-$wanted

# What a user's settings may say about pip is meant for other projects. A folder of one's own is no part of a system's Python (PEP 668),
# and current versions of pip know; the variable is for those that do not, and unknown to those that need none.
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_BREAK_SYSTEM_PACKAGES=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
unset PIP_TARGET PIP_PREFIX PIP_ROOT

# Wheels only: where there is none, an error at once beats an hour of compiling.
packages() {
  "$python" -m pip install -q --target "$half/lib" --only-binary :all: "$@"
}

install() {
  rm -rf "$half"
  mkdir -p "$half/bin"
  # Not a virtual environment: Debian's Python comes without what makes one. Packages in a folder of their own need nothing.
  packages -r "$root/tests/e2e/requirements.txt" &&
    packages --no-deps -r "$root/tests/e2e/requirements-no-deps.txt" &&
    printf '#!/bin/sh\nPYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 PYTHONPATH="%s" exec "%s" "$@"\n' "$home/lib" "$python" >"$half/bin/python" &&
    chmod +x "$half/bin/python" &&
    rm -rf "$home" &&
    mv "$half" "$home"
}

mkdir -p "$tools"
# Two at a time would install over each other. The lock is given up when this process ends, however it does.
exec 9>"$tools/python.lock"
if command -v flock >/dev/null; then flock 9; fi

if [ ! -x "$home/bin/python" ]; then
  half=$home.half
  printf 'set-up: installing the Python packages that the tests use (about 45 s) … ' >&2
  if install >"$tools/python.log" 2>&1 </dev/null; then
    echo done >&2
  else
    echo failed >&2
    tail -n 15 "$tools/python.log" >&2
    rm -rf "$half"
    fail "pip for python3 is needed, and PyPI (Debian: apt-get install python3-pip); the whole log: $tools/python.log"
  fi
fi
echo "$home/bin/python"

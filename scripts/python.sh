#!/usr/bin/env bash
# Prints the path of a Python that has what the tests need, installing it first where it is missing: the packages of
# tests/e2e/requirements.txt and, without their dependencies, those of tests/e2e/requirements-no-deps.txt.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

command -v python3 >/dev/null || { echo 'python3 is not on PATH; install Python 3.11 or later' >&2; exit 1; }
wanted=$(cat "$root"/tests/e2e/requirements*.txt <(python3 -c 'import sys; print(sys.version)') | cksum | cut -d ' ' -f 1)
home=$tools/python-$wanted

install() {
  rm -rf "$home"
  mkdir -p "$home/bin"
  # Not a virtual environment: Debian's Python comes without what makes one. Packages in a folder of their own need nothing.
  python3 -m pip install -q --target "$home/lib" -r "$root/tests/e2e/requirements.txt"
  python3 -m pip install -q --target "$home/lib" --no-deps -r "$root/tests/e2e/requirements-no-deps.txt"
  printf '#!/bin/sh\nPYTHONPATH=%s exec %s "$@"\n' "$home/lib" "$(command -v python3)" >"$home/bin/python"
  chmod +x "$home/bin/python"
}

if [ ! -x "$home/bin/python" ]; then
  mkdir -p "$tools"
  printf 'set-up: installing the Python packages that the tests use (about 30 s) … ' >&2
  if install >"$tools/python.log" 2>&1 </dev/null; then
    echo done >&2
  else
    echo failed >&2
    tail -n 15 "$tools/python.log" >&2
    rm -rf "$home"
    echo "pip for python3 is needed, and PyPI; the whole log: $tools/python.log" >&2
    exit 1
  fi
fi
echo "$home/bin/python"

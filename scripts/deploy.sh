#!/usr/bin/env bash
# Deploys with wrangler, unless the gateway would be open: BREAKWATER_OPEN is for `make dev` alone.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

refuse() {
  echo "not deployed: BREAKWATER_OPEN is set $1. It lets everyone in without a key, and is for 'make dev' on this machine only." >&2
  exit 1
}
[ -z "${BREAKWATER_OPEN:-}" ] || refuse "in the environment"
case "$*" in *BREAKWATER_OPEN*) refuse "among the arguments" ;; esac
for file in wrangler.toml wrangler.json wrangler.jsonc; do
  if [ -e "$file" ] && sed 's/^[[:space:]]*#.*//' "$file" | grep -q BREAKWATER_OPEN; then refuse "in $file"; fi
done
exec wrangler deploy "$@"

#!/usr/bin/env bash
# Serves the worker on this machine: real workerd, with local KV and Durable Objects under .wrangler/state.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"
port=${PORT:-8787}

if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  echo "port $port is taken; another one: make dev PORT=8788" >&2
  exit 1
fi
cat <<END
Breakwater on http://127.0.0.1:$port, open to this machine without a key (BREAKWATER_OPEN=loopback, which only 'make dev' sets).
Try: curl http://127.0.0.1:$port/v1/chat/completions -d '{"model":"demo","messages":[{"role":"user","content":"Hello"}]}'
END
exec wrangler dev --ip 127.0.0.1 --port "$port" --var BREAKWATER_OPEN:loopback --show-interactive-dev-session=false "$@"

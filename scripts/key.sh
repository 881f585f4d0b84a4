#!/usr/bin/env bash
# Makes a caller's key: prints it once, and the line that lets it in. NAME is required; ROUTES, DIRECT=yes and SCOPE are optional. With
# ADMIN=yes it is an operator's, for the secret that [admin] names.
set -euo pipefail

name=${NAME:-}
if ! [[ $name =~ ^[A-Za-z0-9._-]{1,64}$ ]]; then
  echo "NAME is '$name'; it takes 1 to 64 letters, digits, dots, hyphens and underscores, as in: make key NAME=alice" >&2
  exit 1
fi
case ${ADMIN:-no} in
  yes) secret=ADMIN_KEYS ;;
  no) secret=GATEWAY_KEYS ;;
  *) echo "ADMIN is '$ADMIN'; it takes yes or no" >&2 && exit 1 ;;
esac
for value in "${ROUTES:-}" "${DIRECT:-}" "${SCOPE:-}"; do
  if [[ $value =~ [[:space:]] ]]; then
    echo "'$value' has a space in it; ROUTES takes names with commas between them, as in: ROUTES=smart,fast" >&2
    exit 1
  fi
done

# 256 bits, in letters that need no quoting anywhere.
key=bw-$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
line=$name:$(printf %s "$key" | sha256sum | cut -d ' ' -f 1)
[ -z "${ROUTES:-}" ] || line+=" routes=$ROUTES"
[ -z "${DIRECT:-}" ] || line+=" direct=$DIRECT"
[ -z "${SCOPE:-}" ] || line+=" scope=$SCOPE"

cat <<END
The key, which is shown only now and stored nowhere:

  $key

The line that lets it in:

  $line

Deployed, it goes into the secret $secret, which holds all keys, one a line:

  npx wrangler secret put $secret

Locally, it goes into .dev.vars (several keys: ${secret}_2 to ${secret}_9):

  $secret="$line"
END

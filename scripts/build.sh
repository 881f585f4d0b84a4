#!/usr/bin/env bash
# Builds the worker into build/: wrangler calls it (see wrangler.toml), and so does make. Does nothing where nothing changed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

compiler=$(wasm_compiler)
if [ -z "$compiler" ] || [ ! -x "$rust_tools/bin/worker-build" ] || [ ! -d node_modules ]; then
  echo "the tools are not installed yet: run 'make setup'" >&2
  exit 1
fi

wanted=$( { find src build.rs gateway.toml Cargo.toml Cargo.lock scripts/build.sh scripts/env.sh -type f -print0 | sort -z | xargs -0 cksum; echo "$compiler"; } | cksum)
stamp=build/.built-from
if [ -e build/entry.js ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
  exit 0
fi

# Debian's compiler is found first by name; its output is kept apart from that of the host's compiler, as are both from each other.
if [ "$compiler" = debian ]; then
  export PATH="$root/node_modules/.bin:$rust_tools/bin:/usr/bin:$PATH"
fi
export CARGO_TARGET_DIR=$root/target/wasm
export WASM_BINDGEN_BIN=$rust_tools/bin/wasm-bindgen WASM_OPT_BIN=$root/node_modules/.bin/wasm-opt ESBUILD_BIN=$root/node_modules/.bin/esbuild
rm -f "$stamp"
worker-build --release --no-opt
# wasm-opt has one go, for size, in place of worker-build's for speed; and of functions with one caller, only those of up to 120 bytes or so become part of it: the
# large ones that come of all of them have so many locals that their numbers do not compress (40 thousand bytes more, gzipped). With 70 the worker is 16 thousand smaller, and
# a request slower, above all a translated one: isolates are young, and there every call is one. Nor is a value kept in a local of its own because it is needed twice (another
# 3 thousand): V8 sees that by itself. Last, functions are put in the order of their names, in which those that are alike stand beside each other, where gzip's window of 32 KB
# finds them: 24 thousand bytes less than in the order of use. The features are those that rustc uses by default, and what wasm-bindgen declares; any further one would be
# written where the platform's V8 may not read it.
"$WASM_OPT_BIN" --enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals --enable-reference-types \
  --enable-multivalue --enable-exception-handling -Oz --flexible-inline-max-function-size=0 --one-caller-inline-max-function-size=120 --skip-pass=local-cse \
  --reorder-functions-by-name \
  build/index_bg.wasm -o build/smaller.wasm
mv build/smaller.wasm build/index_bg.wasm
cp src/edge/entry.js build/
echo "$wanted" >"$stamp"

size=$(cat build/entry.js build/index.js build/index_bg.wasm | gzip -9 | wc -c)
echo "built: $((size / 1024)) KB gzipped"

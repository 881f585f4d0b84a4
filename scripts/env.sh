# Where the tools are, for every script to source. Nothing here installs anything: that is scripts/setup.sh.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# worker-build bundles what cargo builds; wasm-bindgen-cli must match the crate in Cargo.lock exactly.
worker_build_version=0.8.7
wasm_bindgen_version=0.2.129

# Outside of the checkout, so that a second clone on the same machine repeats nothing.
tools=${BREAKWATER_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/breakwater}
rust_tools=$tools/worker-build-$worker_build_version-wasm-bindgen-$wasm_bindgen_version

# What a user's shell may say about cargo is meant for other projects.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS RUSTC_WRAPPER RUSTC CARGO_TARGET_DIR

# wrangler and the tests need Node 22 or later: the package `node` has one, whatever the system's is.
export PATH="$root/node_modules/.bin:$rust_tools/bin:$PATH"
export WRANGLER_SEND_METRICS=false

wasm=wasm32-unknown-unknown

# Who compiles to wasm: "rustup" where its toolchain has the target, "debian" where Debian's has (by set-up), or nothing.
wasm_compiler() {
  local lib
  if lib=$(rustc --print target-libdir --target $wasm 2>/dev/null) && compgen -G "$lib/libstd-*.rlib" >/dev/null; then
    echo rustup
  elif [ -x /usr/bin/rustc ] && [ -e "$(debian_std)/.complete" ]; then
    echo debian
  fi
}

# The folder of Debian's wasm standard library, which set-up builds.
debian_std() {
  /usr/bin/rustc --print target-libdir --target $wasm
}

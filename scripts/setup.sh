#!/usr/bin/env bash
# Installs what is missing to build, serve and test the worker; what is there is left alone, so that a second run takes a second.
# Each step says what it does and how long that usually takes; one that fails says what to do.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

mkdir -p "$tools"
logs=$tools/logs
mkdir -p "$logs"

fail() {
  printf '\nset-up: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '        %s\n' "$line" >&2; done
  exit 1
}

# step NAME "WHAT" "HOW LONG" "WHAT TO DO IF IT FAILS" COMMAND…
step() {
  local name=$1 what=$2 long=$3 advice=$4 log=$logs/$1.log begun=$SECONDS
  shift 4
  printf 'set-up: %s (about %s) … ' "$what" "$long"
  if "$@" >"$log" 2>&1 </dev/null; then
    printf 'done in %s s\n' $((SECONDS - begun))
  else
    printf 'failed\n'
    tail -n 15 "$log" | sed 's/^/        | /' >&2
    fail "could not finish: $what." "$advice" "The whole log: $log"
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# --- what must be there ---------------------------------------------------------------------------------------------------------------

command -v cargo >/dev/null && command -v rustc >/dev/null ||
  fail "cargo and rustc are not on PATH." "Install Rust by rustup (its stable toolchain), open a new shell, and try again."
command -v node >/dev/null && command -v npm >/dev/null ||
  fail "node and npm are not on PATH." "Install Node.js 20 or later (Debian: apt-get install nodejs npm), and try again."
command -v cc >/dev/null || fail "there is no C compiler." "Install gcc (Debian: apt-get install gcc), and try again."

# Two set-ups at a time would install over each other. The lock is given up when this process ends, however it does.
exec 9>"$tools/lock"
if command -v flock >/dev/null && ! flock -n 9; then
  echo 'set-up: another set-up is running on this machine; waiting for it'
  flock 9
fi

# --- the compiler to wasm -------------------------------------------------------------------------------------------------------------

rustup_target() {
  command -v rustup >/dev/null && rustup target add $wasm && [ "$(wasm_compiler)" = rustup ]
}

debian_packages() {
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -q -y --no-install-recommends \
    rustc-web cargo-web rust-web-src rust-web-llvm lld-22
}

# Debian's compiler comes with the standard library's source, and not with its wasm build: that is made here, once. Without bitcode in it
# link-time optimisation fails.
debian_std_build() {
  local work=$tools/std lib
  lib=$(debian_std)
  rm -rf "$work"
  mkdir -p "$work/src"
  printf '#![no_std]\n' >"$work/src/lib.rs"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$work/Cargo.toml"
  (
    cd "$work"
    PATH=/usr/bin:$PATH RUSTFLAGS=-Cembed-bitcode=yes RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$work/target \
      /usr/bin/cargo build --release --target $wasm -Zbuild-std=std,panic_abort
  )
  rm -f "$work"/target/$wasm/release/deps/libempty-*
  as_root rm -rf "$lib"
  as_root mkdir -p "$lib"
  as_root cp "$work"/target/$wasm/release/deps/*.rlib "$lib/"
  as_root touch "$lib/.complete"
  # What was compiled against another standard library does not link with this one.
  rm -rf "$root/target/wasm/$wasm" "$work"
}

if [ -z "$(wasm_compiler)" ]; then
  printf 'set-up: adding the wasm target to rustup (about 10 s) … '
  if rustup_target >"$logs/rustup.log" 2>&1 </dev/null; then
    echo done
  else
    echo 'not to be had'
    command -v apt-get >/dev/null ||
      fail "the Rust target $wasm is missing, and rustup could not add it." "Try 'rustup target add $wasm' by hand; the log: $logs/rustup.log"
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null ||
      fail "Debian's Rust compiler is needed, as rustup could not add the target $wasm, and installing it takes root." \
        "Run 'sudo make setup' once, or 'rustup target add $wasm' where that works."
    if [ ! -x /usr/bin/rustc ] || [ ! -x /usr/bin/cargo ] || [ ! -d /usr/lib/rustlib/src/rust/library ]; then
      step debian-packages "installing Debian's Rust compiler for wasm" "1 min" "Try 'apt-get install rustc-web cargo-web rust-web-src rust-web-llvm lld-22' by hand." debian_packages
    fi
    step debian-std "building the standard library for wasm" "1 min" "Remove $tools/std and try again." debian_std_build
  fi
fi

# --- the tools that make a worker of wasm ---------------------------------------------------------------------------------------------

# Compiled for a quick installation rather than for quick tools: they run for seconds.
install_rust_tools() {
  local half=$rust_tools.half
  rm -rf "$half"
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
  export CARGO_TARGET_DIR=$tools/build
  cargo install --locked wasm-bindgen-cli --version $wasm_bindgen_version --bin wasm-bindgen --root "$half" &&
    cargo install --locked worker-build --version $worker_build_version --root "$half" &&
    mv "$half" "$rust_tools"
}

if [ ! -x "$rust_tools/bin/worker-build" ]; then
  step rust-tools "compiling worker-build $worker_build_version and wasm-bindgen $wasm_bindgen_version" "5 min on two cores" \
    "It needs the registry of Rust packages; a second try goes on where this one stopped." install_rust_tools
  rm -rf "$tools/build"
fi

# --- what comes from npm --------------------------------------------------------------------------------------------------------------

install_packages() {
  npm ci --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.installed-lock
}

if ! cmp -s package-lock.json node_modules/.installed-lock; then
  step npm "installing wrangler, workerd and the SDKs that the tests use" "30 s" "It needs the npm registry; 'npm ci' by hand shows more." install_packages
fi

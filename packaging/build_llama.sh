#!/usr/bin/env bash
# Builds the llama-cpp-python wheel for this processor, once, and prints the wheel's path.
#
# Usage: packaging/build_llama.sh PYTHON LOCKFILE
#
# The wheel is kept in the user's cache under a key made of the version, the compiler flags and the
# processor's features: pip's own cache ignores flags, and a wheel built for another processor
# crashes with an illegal instruction.
set -euo pipefail

python=$1
lock=$2

# ggml's AMX code crashes at the first prompt (ldtilecfg) where the kernel does not grant the tiles;
# AVX-512 and VNNI stay on. The switches exist on x86-64 compilers only.
flags=""
case "$(uname -m)" in
x86_64 | amd64) flags="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16" ;;
esac

features=$(grep -m1 -E '^(flags|Features)' /proc/cpuinfo 2>/dev/null || sysctl -n machdep.cpu.features 2>/dev/null || true)
key=$({ cat "$lock"; echo "$flags"; uname -sm; echo "$features"; } | cksum | cut -d' ' -f1)
wheels=${XDG_CACHE_HOME:-$HOME/.cache}/edge-slm/wheels/$key

mkdir -p "$wheels"
wheel=$(find "$wheels" -maxdepth 1 -name 'llama_cpp_python-*.whl' | head -n 1)
if [ -z "$wheel" ]; then
    cxx=${CXX:-c++}
    command -v "$cxx" >/dev/null || {
        echo "No C++ compiler ($cxx): install one (Debian: apt-get install g++), then run make again." >&2
        exit 1
    }
    echo "Building llama.cpp for this processor, once (about 5 minutes on 2 cores)…" >&2
    staging=$(mktemp -d "$wheels/build.XXXXXX")
    trap 'rm -rf "$staging"' EXIT
    CFLAGS="${CFLAGS:-} $flags" CXXFLAGS="${CXXFLAGS:-} $flags" \
        "$python" -m pip wheel --no-deps --no-cache-dir --require-hashes --no-binary llama-cpp-python \
        --wheel-dir "$staging" --requirement "$lock" >&2
    mv "$staging"/llama_cpp_python-*.whl "$wheels/"
    wheel=$(find "$wheels" -maxdepth 1 -name 'llama_cpp_python-*.whl' | head -n 1)
fi
echo "$wheel"

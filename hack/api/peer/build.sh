#!/usr/bin/env bash
# Builds the peer that our API server is compared with, the test-adapter of sigs.k8s.io/custom-metrics-apiserver, into a
# cache outside the checkout. Prints the binary's path on stdout, progress on stderr.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${GPUMIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gpumix}
key=$(cat "$here/go.mod" "$here/go.sum" "$here/build.sh" | sha256sum | cut -c1-12)
bin="$cache/test-adapter-$key"
if [ ! -x "$bin" ]; then
  if ! command -v go >/dev/null; then
    echo 'hack/api: Go 1.26 or newer is needed to build the peer (https://go.dev/doc/install); none is on PATH' >&2
    exit 1
  fi
  echo 'hack/api: first use: building the Go test-adapter (1 to 5 minutes, once)' >&2
  mkdir -p "$cache"
  (cd "$here" && CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags '-s -w' -o "$bin.partial" sigs.k8s.io/custom-metrics-apiserver/test-adapter)
  mv "$bin.partial" "$bin"
fi
echo "$bin"

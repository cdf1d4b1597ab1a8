#!/usr/bin/env bash
# Builds Helm from the Go module proxy into a cache outside the checkout, as hack/cluster/binaries/build.sh does with the control
# plane, of the same modules. Prints the binary's path on stdout, progress on stderr.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${GPUMIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gpumix}

version=$(awk '$1 == "helm.sh/helm/v4" { print $2 }' "$here/go.mod")
key=$(cat "$here/go.mod" "$here/go.sum" "$here/build.sh" | sha256sum | cut -c1-12)
helm="$cache/helm-$version-$key"
if [ -x "$helm" ]; then echo "$helm"; exit 0; fi

if ! command -v go >/dev/null; then
  echo "hack/cluster/helm: Go 1.26 or newer is needed to build Helm (https://go.dev/doc/install); none is on PATH" >&2
  exit 1
fi
mkdir -p "$cache"
started=$SECONDS
echo "hack/cluster/helm: first use: building Helm $version into $helm" >&2
(cd "$here" && CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags '-s -w' -o "$helm.$$.partial" helm.sh/helm/v4/cmd/helm)
mv "$helm.$$.partial" "$helm"
echo "hack/cluster/helm: done in $((SECONDS - started)) s" >&2
echo "$helm"

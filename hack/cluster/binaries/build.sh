#!/usr/bin/env bash
# Builds the binaries of a real Kubernetes control plane from the Go module proxy into a cache outside the checkout:
# etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl and kwok. Prints the folder on stdout, progress on stderr.
# The folder's name is a hash of the pinned modules and of this file, so that a change of version builds anew and nothing else does.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${GPUMIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gpumix}

kubernetes_version=$(awk '$1 == "k8s.io/kubernetes" { print $2 }' "$here/kubernetes/go.mod")
key=$(cat "$here"/*/go.mod "$here"/*/go.sum "$here/build.sh" | sha256sum | cut -c1-12)
bin="$cache/control-plane-$kubernetes_version-$key"
if [ -e "$bin/complete" ]; then echo "$bin"; exit 0; fi

if ! command -v go >/dev/null; then
  echo "hack/cluster: Go 1.26 or newer is needed to build the control plane (https://go.dev/doc/install); none is on PATH" >&2
  exit 1
fi
mkdir -p "$bin"
started=$SECONDS
say() { printf 'hack/cluster: %4d s  %s\n' $((SECONDS - started)) "$*" >&2; }

# Without these the server calls itself v0.0.0, and clients that compare versions misbehave.
minor=${kubernetes_version#v1.}
component=k8s.io/component-base/version
kubernetes_flags="-s -w -X $component.gitVersion=$kubernetes_version -X $component.gitMajor=1 -X $component.gitMinor=${minor%%.*}"

build() { # module folder, linker flags, package, name of the binary
  [ -x "$bin/$4" ] && return
  say "building $4"
  (cd "$here/$1" && CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags "$2" -o "$bin/.$4.partial" "$3")
  mv "$bin/.$4.partial" "$bin/$4"
}

say "first use: building Kubernetes $kubernetes_version into $bin (10 to 15 minutes on two cores, once)"
build etcd '-s -w' go.etcd.io/etcd/server/v3 etcd
build kwok '-s -w' sigs.k8s.io/kwok/cmd/kwok kwok
for name in kubectl kube-apiserver kube-controller-manager kube-scheduler; do
  build kubernetes "$kubernetes_flags" "k8s.io/kubernetes/cmd/$name" "$name"
done
touch "$bin/complete"
say 'done'
echo "$bin"

#!/bin/sh
# Installs the npm packages that package-lock.json names, unless they are there already. Node 24 comes with them (node_modules/.bin/node).
set -eu
cd "$(dirname "$0")/.."
if [ node_modules/.package-lock.json -nt package-lock.json ] && [ node_modules/.package-lock.json -nt package.json ]; then exit 0; fi
echo 'installing npm packages (once)' >&2
npm ci --no-audit --no-fund --loglevel=error >&2

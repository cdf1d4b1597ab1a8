#!/bin/sh
# Makes sure that a redis-server or valkey-server is on PATH; as root on Debian it is installed from the distribution's packages.
set -eu
if command -v redis-server >/dev/null || command -v valkey-server >/dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo 'installing redis-server from the distribution (once)' >&2
  apt-get install -qq -y redis-server >/dev/null 2>&1 || { apt-get update -qq >&2 && apt-get install -qq -y redis-server >/dev/null; }
  exit 0
fi
echo 'gpumix: the tests need a redis-server or valkey-server on PATH; install one and run npm test again' >&2
exit 1

#!/usr/bin/env bash
# setup-tools.sh DIR: what the tests want beside Python, if this machine can give it. What it cannot give is named, and the tests
# that want it skip with that reason.
set -uo pipefail
here=$(dirname "$0")
dir=$1

if ! command -v tshark >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing tshark"
    (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y tshark) >/dev/null 2>&1
  fi
  command -v tshark >/dev/null || echo "no tshark: install it for the checks by a foreign decoder (Debian: apt-get install tshark)"
fi

[ -n "${MP32:-}" ] && [ -x "$MP32" ] && exit 0
mkdir -p "$(dirname "$dir")"
bash "$here/get-mp32.sh" "$dir" >"$dir.log" 2>&1 || echo "no 32-bit MicroPython: memory and viper checks skip (see $dir.log)"
exit 0

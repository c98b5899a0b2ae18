#!/usr/bin/env bash
# The 32-bit unix port of MicroPython, out of Debian's packages: get-mp32.sh DIR leaves DIR/mp32.
#
# Its heap and its small ints are a microcontroller's, so memory and viper kernels are tested on it. Nothing is
# installed and no privilege is needed: the packages are unpacked below DIR and run by their own loader. Returns
# at once when DIR/mp32 works. Needs an x86 Debian (12 or newer) with apt; downloads about 15 MB.
# MIRROR=URL names a Debian mirror; without it those that this machine's apt knows are tried in turn.
set -euo pipefail

readonly SUITE=trixie  # MicroPython 1.25
readonly PACKAGES=(micropython libc6 libffi8 libgcc-s1 libmbedcrypto16 libmbedtls21 libmbedx509-7)

fail() {
  echo "get-mp32.sh: $*" >&2
  exit 1
}

works() {
  "$dir/mp32" -c 'import sys; assert sys.maxsize == 2**31 - 1' 2>/dev/null
}

# own_apt TOOL ARGUMENT...: apt-get and apt-cache on lists of our own; the machine's stay as they are.
own_apt() {
  "$@" -q -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)"
}

# suite_apt ARGUMENT...: apt-get on the one suite that we want, for i386.
suite_apt() {
  own_apt apt-get "$@" -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o APT::Architecture=i386 -o APT::Architectures::=i386 -o APT::Update::Error-Mode=any
}

mirrors() {
  if [ -n "${MIRROR:-}" ]; then
    echo "$MIRROR"
  else  # every repository that apt would update from: the text before /dists/
    own_apt apt-get --print-uris update | sed -n "s|^'\(.*\)/dists/.*|\1|p" | awk '!seen[$0]++'
  fi
}

# Finds the mirror that has the suite under Debian's signature, and reads its list of packages.
find_suite() {
  local mirror
  for mirror in $(mirrors); do
    echo "deb [arch=i386 signed-by=$keyring] $mirror $SUITE main" >"$work/sources.list"
    if suite_apt update >"$work/log" 2>&1; then
      echo "$SUITE from $mirror"
      return
    fi
  done
  cat "$work/log" >&2
  fail "no mirror has Debian $SUITE; name one by MIRROR="
}

[ $# = 1 ] || fail "usage: get-mp32.sh DIR"
mkdir -p "$1"
dir=$(realpath "$1")
works && exit 0

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "needs Debian's apt-get and dpkg-deb"
keyring=$(ls /usr/share/keyrings/debian-archive-keyring.{gpg,pgp} 2>/dev/null | head -n 1) || true
[ -n "$keyring" ] || fail "needs the package debian-archive-keyring"

work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
find_suite
if ! (cd "$work" && suite_apt download "${PACKAGES[@]}") >"$work/log" 2>&1; then
  cat "$work/log" >&2
  fail "download failed"
fi
for package in "$work"/*.deb; do
  dpkg-deb -x "$package" "$work/root"
done

rm -rf "$dir/root"
mv "$work/root" "$dir/root"
cat >"$dir/mp32" <<END
#!/bin/sh
exec '$dir/root/usr/lib/ld-linux.so.2' --library-path '$dir/root/usr/lib/i386-linux-gnu' \\
  '$dir/root/usr/bin/micropython' "\$@"
END
chmod +x "$dir/mp32"
works || { "$dir/mp32" -c 'print()' || true; fail "unpacked, but it does not run here"; }
echo "$dir/mp32"

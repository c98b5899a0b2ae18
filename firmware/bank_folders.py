"""Code banks in folders, for a MicroPython that has no place for them in flash.

The header of a bank in flash is a file `header`, of format 2. Its SHA-256 is over all other files,
so one too many is noticed: it could hide one of ours. There is no selector: of two that are whole
the higher version runs. `tools/osgp_tools/folder_bank.py` makes such a bank.
"""

import hashlib
import os

from micropython import const

import banks

_FORMAT = const(2)
_CHUNK = const(1024)
_FOLDER = const(0x4000)  # the type of a folder, from os.ilistdir
_ANY_ROOM = const(0x3FFFFFFF)


def choose(family: bytes) -> str:
    """The folder of the highest version that is whole; empty: none is."""
    best = ""
    best_version = -1
    for folder in ("/bank_a", "/bank_b"):
        header = _header(folder)
        of_files = lambda _, folder=folder: digest(folder)  # noqa: E731
        fault = banks.fault(header, family, of_files, _FORMAT, _ANY_ROOM)
        fields = banks.header(header, _FORMAT)
        if fields and not fault:
            if fields[1] > best_version:
                best = folder
                best_version = fields[1]
        elif fault != banks.EMPTY:
            print("boot: bank", folder, fault)
    return best


def digest(folder: str) -> bytes:
    """The SHA-256 over path, length and SHA-256 of each file, in order."""
    total = hashlib.sha256()
    for path, size in _files(folder):
        total.update(b"%s %d " % (path[len(folder) + 1 :].encode(), size))
        total.update(_digest(path))
    return total.digest()


def _header(folder):
    try:
        with open(folder + "/header", "rb") as file:
            return file.read()
    except OSError:  # no such folder, or one that is being written
        return b"\xff" * banks.HEADER


def _digest(path):
    total = hashlib.sha256()
    buf = bytearray(_CHUNK)
    with open(path, "rb") as file:
        n = file.readinto(buf)
        while n:
            total.update(memoryview(buf)[:n])
            n = file.readinto(buf)
    return total.digest()


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

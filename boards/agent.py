"""What `osgp deploy` executes on a board over the REPL: it looks at files and banks, writes them.

Nothing here is kept on the board. `tools/osgp_tools/deploy.py` calls these functions and decides.
"""
# pyright: reportMissingModuleSource=false, reportAttributeAccessIssue=false

import binascii
import hashlib
import os
import sys

_FOLDER = 0x4000  # the type of a folder, from os.ilistdir
_SECTOR = 4096
_HEADER = 76  # octets of a bank's header
_CHUNK = 1024
_UNIT = 16  # octets
_EEXIST = 17


def board():
    """The board's module; None: it has none, or one that does not fit it."""
    try:
        import board

        return board
    except Exception as error:
        print("#", repr(error))
        return None


def unique_id():
    """The board's own number in hexadecimal; empty: it has none."""
    try:
        import machine

        return binascii.hexlify(machine.unique_id()).decode()
    except (ImportError, AttributeError):
        return ""


def look():
    """(family or "", why it is in service mode, has it such a mode, octets of a bank in flash,
    version of .mpy files and native code, unique id)."""
    here = board()
    content = here.bank(0) if here else None
    return (
        here.NAME if here else "",
        getattr(here, "service", ""),
        hasattr(here, "reset_to_service"),
        len(content) if content else 0,
        sys.implementation._mpy,
        unique_id(),
    )


# ---- files


def digest(path):
    """(octets, SHA-256 in hexadecimal) of a file; None: there is none."""
    total = hashlib.sha256()
    buf = bytearray(_CHUNK)
    size = 0
    try:
        with open(path, "rb") as file:
            n = file.readinto(buf)
            while n:
                size += n
                total.update(memoryview(buf)[:n])
                n = file.readinto(buf)
    except OSError:
        return None
    return size, binascii.hexlify(total.digest()).decode()


def tree(folder):
    """Paths of all files below a folder."""
    found = []
    try:
        entries = list(os.ilistdir(folder))
    except OSError:
        return found
    for entry in entries:
        path = folder + "/" + entry[0]
        found += tree(path) if entry[1] == _FOLDER else [path]
    return found


def text(path):
    """The text of a file; empty: there is none."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def content(path):
    """The octets of a file in hexadecimal; empty: there is none."""
    try:
        with open(path, "rb") as file:
            return binascii.hexlify(file.read()).decode()
    except OSError:
        return ""


def listing(folder):
    """(path, octets, SHA-256 in hexadecimal) of all files below a folder."""
    return [(path,) + digest(path) for path in tree(folder)]


def make_folders(path):
    """The folders above a file, those that are missing."""
    for k, letter in enumerate(path):
        if letter == "/" and k:
            try:
                os.mkdir(path[:k])
            except OSError as error:
                if error.args[0] != _EEXIST:
                    raise


class Writing:
    """A file that is being written, in pieces in base64. Its new content shows at the end."""

    def __init__(self, path):
        make_folders(path)
        self._file = open(path, "wb")  # noqa: SIM115  `end` closes it

    def add(self, encoded):
        self._file.write(binascii.a2b_base64(encoded))

    def end(self):
        self._file.close()


def copy(source, path):
    """A file again, under another name."""
    make_folders(path)
    buf = bytearray(_CHUNK)
    with open(source, "rb") as old, open(path, "wb") as new:
        n = old.readinto(buf)
        while n:
            new.write(memoryview(buf)[:n])
            n = old.readinto(buf)


def remove(path):
    """Remove a file if it is there, and the folders that it leaves empty."""
    try:
        os.remove(path)
        while path.count("/") > 1:
            path = path[: path.rindex("/")]
            os.rmdir(path)
    except OSError:  # there was no such file, or the folder is not empty
        return


# ---- banks in flash


def bank(k):
    """(the header in hexadecimal, is the SHA-256 in it that of the image)."""
    content = memoryview(board().bank(k))
    head = bytes(content[:_HEADER])
    length = int.from_bytes(head[12:16], "little")
    whole = 0 < length <= len(content) - _SECTOR
    if whole:
        image = content[_SECTOR : _SECTOR + length]
        whole = hashlib.sha256(image).digest() == head[44:76]
    return binascii.hexlify(head).decode(), whole


def selected():
    """(the confirmed bank or -1, whether the other is on trial); None: this VM knows of no such
    thing."""
    try:
        import banks
    except ImportError:
        return None
    state = banks.load(board().flash)
    return state.confirmed if state.number else -1, state.trial


def flashing(k):
    """Bank k to be written: nothing is imported from it any more."""
    if sys.path[0] == "/bank" + "AB"[k]:
        import vfs

        vfs.umount(sys.path.pop(0))
    return board().bank_flash(k)


def octets(encoded):
    """What is in base64, filled up with FF to what can be programmed at once."""
    data = binascii.a2b_base64(encoded)
    return data + b"\xff" * (-len(data) % _UNIT)

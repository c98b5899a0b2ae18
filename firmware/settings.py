"""Settings: named values in a littlefs folder, each replaced as a whole or not at all.

A file is: version (1 octet), value, CRC-32 over both (4 octets, little-endian). It is written by
one open, one write and one close: littlefs shows the new contents at the close and not before, and
up to 512 octets it keeps them inline, which takes 5 to 14 ms where write-beside-and-rename takes
14 to 51.

Two firmwares may share a value, for an update can be taken back. So a record only grows at its
end: what a shorter one lacks is as in a new device, what a longer one has more is not looked at.
Tables have values of their own for each layout (osgp/migration.py).
"""

import binascii
import os

from micropython import const

from osgp.kernels import copy

_VERSION = const(1)
_FRAME = const(5)  # octets around the value
_ENOENT = const(2)
_EEXIST = const(17)


class Settings:
    """The settings in one folder, which is made if there is none."""

    def __init__(self, folder: str, largest: int = 1024):
        """largest: octets of the longest value, a stored table and its pending event. Above 507
        a file is not inline: whole but slow."""
        self.bad = 0  # files that were damaged, or of another version
        self._held = ""  # the name of the value that the window shows
        self._size = -1  # its octets; -1: there is no such value
        self._folder = folder + "/"
        self._file = bytearray(largest + _FRAME)
        self._view = memoryview(self._file)
        try:
            os.mkdir(folder)
        except OSError as error:
            if error.args[0] != _EEXIST:
                raise

    def window(self, name: str) -> int:
        """Make a value the one that `copy` copies from, and return its length.

        -1: there is none, or (then `bad` goes up) it is damaged. A value that is the window's
        already costs neither a file nor memory.
        """
        if name != self._held:
            self._held = ""
            self._size = self._fetch(name)
            self._held = name
        return self._size

    def copy(self, offset: int, buf, o: int, n: int):
        """Fill buf[o:o+n] with the window's value from `offset`; the caller knows its length."""
        copy(buf, o, self._file, 1 + offset, 1 + offset + n)

    def load(self, name: str, buf) -> int:
        """Copies a value to the start of buf and returns how many octets that were.

        What a value has more than buf is a later firmware's, and is not looked at. -1: there is
        none, or (then `bad` goes up) it is damaged.
        """
        self._held = ""
        n = min(self.window(name), len(buf))
        if n > 0:
            self.copy(0, buf, 0, n)
        return n

    def _fetch(self, name) -> int:
        try:
            with open(self._folder + name, "rb") as file:
                n = file.readinto(self._file)
                whole = not file.read(1)
        except OSError as error:
            if error.args[0] != _ENOENT:
                self.bad += 1
            return -1
        if n == 0:  # power went before the first value of this name was safe
            return -1
        n -= _FRAME
        if whole and self._good(n):
            return n
        self.bad += 1
        return -1

    def remove(self, name: str):
        """Forget a value; there need not be one."""
        if name == self._held:
            self._held = ""
        try:
            os.remove(self._folder + name)
        except OSError as error:
            if error.args[0] != _ENOENT:
                raise

    def replace(self, name: str, buf, n: int):
        """Keeps buf[:n] under a name of at most 16 characters. Returns when it is safe.

        OSError: flash is full or failed, and the old value is still there. ValueError: more than
        `largest` octets.
        """
        if n > len(self._file) - _FRAME:
            raise ValueError("setting too long")
        end = n + 1
        self._held = ""
        self._file[0] = _VERSION
        self._view[1:end] = memoryview(buf)[:n]
        self._view[end : end + 4] = self._crc(end)
        with open(self._folder + name, "wb") as file:
            file.write(self._view[: end + 4])
        self._held = name
        self._size = n

    def _good(self, n: int) -> bool:
        end = n + 1
        return n >= 0 and self._file[0] == _VERSION and self._view[end : end + 4] == self._crc(end)

    def _crc(self, end: int) -> bytes:
        return binascii.crc32(self._view[:end]).to_bytes(4, "little")

"""Settings: named values in a littlefs folder, each replaced as a whole or not at all.

A file is: version (1 octet), value, CRC-32 over both (4 octets, little-endian). It is written by
one open, one write and one close: littlefs shows the new contents at the close and not before, and
up to 512 octets it keeps them inline, which takes 5 to 14 ms where write-beside-and-rename takes
14 to 51.
"""

import binascii
import os

from micropython import const

_VERSION = const(1)
_FRAME = const(5)  # octets around the value
_ENOENT = const(2)
_EEXIST = const(17)


class Settings:
    """The settings in one folder, which is made if there is none."""

    def __init__(self, folder: str, largest: int = 808):
        """largest: octets of the longest value, which is BT54. Above 507 a file is not inline:
        whole but slow."""
        self.bad = 0  # files that were damaged, or of another version
        self._folder = folder + "/"
        self._file = bytearray(largest + _FRAME)
        self._view = memoryview(self._file)
        try:
            os.mkdir(folder)
        except OSError as error:
            if error.args[0] != _EEXIST:
                raise

    def load(self, name: str, buf) -> int:
        """Copies a value to the start of buf and returns its length.

        -1: there is none, or (then `bad` goes up) it is damaged or longer than buf.
        """
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
        if not whole or not self._good(n) or n > len(buf):
            self.bad += 1
            return -1
        buf[0:n] = self._view[1 : 1 + n]
        return n

    def replace(self, name: str, buf, n: int):
        """Keeps buf[:n] under a name of at most 16 characters. Returns when it is safe.

        OSError: flash is full or failed, and the old value is still there. ValueError: more than
        `largest` octets.
        """
        if n > len(self._file) - _FRAME:
            raise ValueError("setting too long")
        end = n + 1
        self._file[0] = _VERSION
        self._view[1:end] = memoryview(buf)[:n]
        self._view[end : end + 4] = self._crc(end)
        with open(self._folder + name, "wb") as file:
            file.write(self._view[: end + 4])

    def _good(self, n: int) -> bool:
        end = n + 1
        return n >= 0 and self._file[0] == _VERSION and self._view[end : end + 4] == self._crc(end)

    def _crc(self, end: int) -> bytes:
        return binascii.crc32(self._view[:end]).to_bytes(4, "little")

"""A raw region made of files, for a MicroPython whose file system has all of the flash.

A sector is a file, what lies behind its end is erased. Each `program` rewrites a sector: 50 ms and
more where raw flash takes 0.7, and it allocates. What was programmed is safe when it returns.
"""

import os

from micropython import const

_SECTOR = const(4096)
_ENOENT = const(2)
_EEXIST = const(17)


class FilesFlash:
    """The raw region, as `tables.store` wants it, in a folder of littlefs, which is made."""

    unit = 16  # octets

    def __init__(self, folder: str):
        self._folder = folder + "/"
        try:
            os.mkdir(folder)
        except OSError as error:
            if error.args[0] != _EEXIST:
                raise

    def read(self, address: int, buf):
        """Fills buf from an address on."""
        view = memoryview(buf)
        done = 0
        while done < len(view):
            at = (address + done) % _SECTOR
            n = min(_SECTOR - at, len(view) - done)
            self._read(address + done, view[done : done + n])
            done += n

    def _read(self, address: int, piece):
        n = 0
        try:
            with open(self._name(address), "rb") as file:
                file.seek(address % _SECTOR)
                n = file.readinto(piece)
        except OSError as error:
            if error.args[0] != _ENOENT:
                raise
        while n < len(piece):
            piece[n] = 0xFF
            n += 1

    def program(self, address: int, buf):
        """Writes buf to erased octets of one sector."""
        at = address % _SECTOR
        sector = bytearray(at + len(buf))
        self._read(address - at, sector)
        sector[at:] = buf
        with open(self._name(address), "rb+" if self._is_there(address) else "wb") as file:
            file.write(sector)

    def erase(self, address: int):
        """Sets the sector that begins at an address to FF."""
        if self._is_there(address):
            os.remove(self._name(address))

    def _is_there(self, address: int) -> bool:
        try:
            os.stat(self._name(address))
        except OSError as error:
            if error.args[0] != _ENOENT:
                raise
            return False
        return True

    def _name(self, address: int) -> str:
        return self._folder + "%d" % (address // _SECTOR)

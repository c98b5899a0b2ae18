"""The desk board's VM: what the C parts of a board's firmware do before and around boot.py.

usage: micropython -X heapsize=N boards/unix/vm.py

Environment and exit status: board.md.
"""

import os
import sys

import vfs
from micropython import const

_SECTOR = const(4096)
_PAGE = const(256)
_ERASED = b"\xff" * 256
_FLASH_SIZE = const(0x200000)
_LITTLEFS = const(0x150000)  # where the file system begins; it ends with the flash
_LITTLEFS_SECTORS = const(0xB0)
_NO_FLASH = const(2)
_SAFE_MODE = const(3)
_NO_FILES = const(4)
_INTERRUPTED = const(130)


class FileSystemFlash:
    """The file system's part of the flash file, as a block device of MicroPython's."""

    def __init__(self, path: str):
        self._file = open(path, "r+b")  # noqa: SIM115  open as long as the VM runs

    def readblocks(self, block, buf, offset=0):
        self._file.seek(_LITTLEFS + block * _SECTOR + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        self._file.seek(_LITTLEFS + block * _SECTOR + offset)
        self._file.write(buf)

    def ioctl(self, operation, block):
        if operation == 4:  # number of blocks
            return _LITTLEFS_SECTORS
        if operation == 5:  # octets of a block
            return _SECTOR
        if operation == 6:  # erase
            for offset in range(0, _SECTOR, _PAGE):  # a whole sector of them would be in the heap
                self.writeblocks(block, _ERASED, offset)
        return 0

    def is_blank(self) -> bool:
        """Whether nothing was ever written: a new device, and the only time that we format."""
        sector = bytearray(_SECTOR)
        for block in range(_LITTLEFS_SECTORS):
            self.readblocks(block, sector)
            if sector != b"\xff" * _SECTOR:
                return False
        return True


def mount(path: str) -> bool:
    """Mounts the file system at /flash. A damaged one stays as it is: its data may be had yet."""
    flash = FileSystemFlash(path)
    if flash.is_blank():
        vfs.VfsLfs2.mkfs(flash, progsize=_PAGE)  # pyright: ignore[reportArgumentType]
    try:
        system = vfs.VfsLfs2(flash, progsize=_PAGE)  # pyright: ignore[reportArgumentType]
        vfs.mount(system, "/flash")
    except OSError as error:
        print("vm: the file system is damaged and stays as it is:", repr(error))
        return False
    return True


def frozen(path: str):
    """Mounts compiled modules at /vm: what a chip's VM has frozen in. Beside the heap, if that can
    be."""
    size = os.stat(path)[6]
    try:
        import ffi
        import uctypes

        room = uctypes.bytearray_at(ffi.open(None).func("p", "malloc", "I")(size), size)
    except ImportError:  # then they take some 20 kB of the heap
        room = bytearray(size)
    with open(path, "rb") as file:
        file.readinto(room)
    vfs.mount(vfs.VfsRom(room), "/vm")


def start():
    """boot.py and main.py, as every port runs them."""
    __import__("boot")
    __import__("main")


def run():
    """A start. Returns the exit status."""
    path = os.getenv("OSGP_FLASH") or ""
    try:
        size = os.stat(path)[6]
    except OSError:
        size = 0
    if size != _FLASH_SIZE:
        print("vm: OSGP_FLASH names no flash of", _FLASH_SIZE, "octets:", path)
        return _NO_FLASH
    # The application comes from the bank. MICROPYPATH: what another VM would have frozen in.
    sys.path[:] = ["/vm"] + (os.getenv("MICROPYPATH") or ".frozen").split(":")
    frozen(os.getenv("OSGP_VM_ROM") or "")
    if not mount(path):
        return _NO_FILES
    try:
        start()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BaseException as error:
        status = getattr(error, "status", None)  # of board.Ended
        if status is not None:
            return status
        sys.print_exception(error, sys.stderr)  # pyright: ignore[reportArgumentType]
        return 1
    return 1 if sys.path[0].startswith("/bank") else _SAFE_MODE


sys.exit(run())

"""The file system: mounted at /, made where nothing was ever written, and never made otherwise.

What does not mount may still be read by somebody who knows how, so it stays as it is.
"""

import vfs
from micropython import const

_SECTOR = const(4096)
_PAGE = const(256)  # the same on every board, so that a file system can be read on another
_EXTENDED = const(1)  # ioctl 1: the extended block protocol
_BLOCKS = const(4)


def is_blank(device) -> bool:
    """Whether every octet of a block device is FF: as it left the factory, or was erased."""
    sector = bytearray(_SECTOR)
    erased = b"\xff" * _SECTOR
    for block in range(device.ioctl(_BLOCKS, 0)):
        device.readblocks(block, sector, 0)
        if sector != erased:
            return False
    return True


def mount(device):
    """Mounts the file system, a new one on a blank device. Says so if that cannot be done."""
    device.ioctl(1, _EXTENDED)
    try:
        files = vfs.VfsLfs2(device, progsize=_PAGE)
    except OSError as error:
        if not is_blank(device):
            print("_boot: the file system is damaged and stays as it is:", repr(error))
            return
        print("_boot: the file system's region is blank, formatting it")
        vfs.VfsLfs2.mkfs(device, progsize=_PAGE)
        files = vfs.VfsLfs2(device, progsize=_PAGE)
    vfs.mount(files, "/")

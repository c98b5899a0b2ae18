"""Before boot.py: mounts the file system at /.

The port's own _boot.py formats what it cannot mount. This one formats a region in which every
octet is FF, as on a chip that left the factory or was erased, and nothing else: what does not
mount may still be read by somebody who knows how.
"""

import vfs
from micropython import const
from rp2 import Flash

_START = const(0x4C000)  # in rp2.Flash(): behind the raw region of board.py
_SIZE = const(0x0B0000)
_SECTOR = const(4096)
_PAGE = const(256)


def is_blank(flash) -> bool:
    """Whether nothing was ever written to a region."""
    erased = b"\xff" * _SECTOR
    sector = bytearray(_SECTOR)
    for block in range(_SIZE // _SECTOR):
        flash.readblocks(block, sector)
        if sector != erased:
            return False
    return True


def mount():
    """Mounts the file system, a new one on a blank region. Says so if that cannot be done."""
    flash = Flash(start=_START, len=_SIZE)
    try:
        files = vfs.VfsLfs2(flash, progsize=_PAGE)
    except OSError as error:
        if not is_blank(flash):
            print("_boot: the file system is damaged and stays as it is:", repr(error))
            return
        print("_boot: the file system's region is blank, formatting it")
        vfs.VfsLfs2.mkfs(flash, progsize=_PAGE)
        files = vfs.VfsLfs2(flash, progsize=_PAGE)
    vfs.mount(files, "/")


mount()

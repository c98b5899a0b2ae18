"""Before boot.py: mounts the file system.

Replaces the port's _boot.py, which formats what it cannot mount.
"""

from common.mount import mount
from micropython import const
from rp2 import Flash

_START = const(0x4C000)  # in rp2.Flash(): behind the raw region of board.py
_SIZE = const(0x0B0000)

mount(Flash(start=_START, len=_SIZE))

"""Before boot.py: mounts the file system.

osgp.h forbids the port to do it: it would format what it does not know.
"""

import pyb
from common.mount import mount
from micropython import const

_START = const(0)
_SIZE = const(0x0B0000)  # then the raw region of board.py

mount(pyb.Flash(start=_START, len=_SIZE))

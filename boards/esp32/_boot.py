"""Before boot.py: mounts the file system.

Replaces the port's _boot.py, which prints for ever that it cannot mount.
"""

from common.mount import mount
from esp32 import Partition

mount(Partition.find(Partition.TYPE_DATA, label="vfs")[0])

"""A Pico's modules on a chip made of memory, for MicroPython's unix port.

What test_pico_board.py runs begins with this text.
"""

import random
import sys

import vfs

RAW_SIZE = 0x4C000
SECTOR = 4096


class Chip:
    """What the modules below do, and what they have seen."""

    def __init__(self):
        self.storage = bytearray(b"\xff" * 0xFC000)  # rp2.Flash(), all of it
        self.erases = 0
        self.longest = self.shortest = 256  # octets of a program
        self.memory = {0x4005800C: 0, 0x4005801C: 0}
        self.pins = {}
        self.cause = 1
        self.block_size = 4096  # of the file system at /; 0: there is none
        self.watchdog = None  # [time-out, feeds]
        self.work()

    def stop(self, bit, state):
        """The oscillator stands at a bit, the mixer at a state."""
        self._draw, self._state = lambda: bit, state

    def work(self):
        """The oscillator is random."""
        self._draw, self._state = lambda: random.getrandbits(1), 0

    def octet(self):
        r = self._state
        for _ in range(8):
            r = ((r << 1 | self._draw()) ^ (0xD5 if r & 0x80 else 0)) & 0xFF
        self._state = r
        return r


CHIP = Chip()


class Flash:
    """rp2.Flash: a region of the storage. Allocates nothing, as the port's."""

    def __init__(self, start, len):  # noqa: A002  the port's name
        self.start = start
        self.size = len

    def readblocks(self, block, buf, offset=0):
        at = self.start + block * SECTOR + offset
        for k in range(len(buf)):
            buf[k] = CHIP.storage[at + k]

    def writeblocks(self, block, buf, offset=0):
        CHIP.longest = max(CHIP.longest, len(buf))
        CHIP.shortest = min(CHIP.shortest, len(buf))
        at = self.start + block * SECTOR + offset
        for k in range(len(buf)):
            CHIP.storage[at + k] &= buf[k]

    def ioctl(self, operation, block):
        if operation == 4:
            return self.size // SECTOR
        if operation == 5:
            return SECTOR
        if operation == 6:
            at = self.start + block * SECTOR
            CHIP.storage[at : at + SECTOR] = b"\xff" * SECTOR
            CHIP.erases += 1
        return 0


class Pin:
    IN = 0
    PULL_UP = 1

    def __init__(self, number, mode=None, pull=None):
        self._number = number

    def value(self):
        return CHIP.pins.get(self._number, 1)


class UART:
    def __init__(self, *arguments, **names):
        pass


class WDT:
    def __init__(self, timeout):
        CHIP.watchdog = [timeout, 0]

    def feed(self):
        CHIP.watchdog[1] += 1


class Module:
    """A module that stands in for one of the port's."""

    def __init__(self, **names):
        for name, value in names.items():
            setattr(self, name, value)


def reset():
    CHIP.cause = 3
    sys.exit()


sys.modules["rp2"] = Module(Flash=Flash)
sys.modules["machine"] = Module(
    Pin=Pin,
    UART=UART,
    WDT=WDT,
    WDT_RESET=3,
    mem32=CHIP.memory,
    reset=reset,
    reset_cause=lambda: CHIP.cause,
)
sys.modules["os"] = Module(
    statvfs=lambda path: (CHIP.block_size,),
    urandom=lambda n: bytes([CHIP.octet() for _ in range(n)]),
    umount=vfs.umount,
)
sys.modules["kernels"] = __import__("osgp.kernels", None, None, ("crc16",))

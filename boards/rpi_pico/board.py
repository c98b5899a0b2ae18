"""A Raspberry Pi Pico as the meter's processor: pins, flash map, sources of AES and random.

What each name is for stands in ../unix/board.md; wires, parts and the flash map in board.md.
"""

import hashlib
import os
import sys
import time

import cryptolib
import machine
import vfs
from kernels import copy, fill
from machine import Pin
from micropython import const
from rp2 import Flash as Storage

# Pins by GPIO number (pins.csv; RP2040 datasheet 1.4.3: UART1 may have these two)
_PLC_TX = const(4)
_PLC_RX = const(5)
_SERVICE = const(22)  # to ground: service mode

_PLC_BAUD = const(115200)
# Octets. Received: what comes in while we compute, a slice and a collection, 11.5 a ms at most.
# Sent: the longest MIP message with every octet doubled, so that a write never waits.
_PLC_RX_BUFFER = const(1024)
_PLC_TX_BUFFER = const(520)

_SECTOR = const(4096)
_PAGE = const(256)  # what the flash chip programs at a time
_BANK_SIZE = const(0x32000)
_RAW = const(0)  # in rp2.Flash(), which begins behind the banks
_RAW_SIZE = const(0x4C000)

_WATCHDOG_MS = const(8000)  # the RP2040's longest is 8388
# The watchdog's scratch registers outlive every reset but power-on. The pico-sdk puts a mark into
# number 4 when it starts the watchdog, and clears it for a reset that was asked for.
_SCRATCH_0 = const(0x4005800C)
_SCRATCH_4 = const(0x4005801C)
_STARTED = const(0x6AB73121)
_WANTED = const(0x2E5E71CE)  # our mark in number 0: start into service mode

_MIXER_CYCLE = const(93)  # octets

_ECB = const(1)
_KEY = const(16)

NAME = "rpi_pico"
INSECURE = False
OPEN_NM = False  # network management by anybody, for tests with foreign stacks
RANDOM_SOURCE = "os.urandom: the RP2040's ring oscillator, hashed"

# A house: its power by hour of the UTC day, in units of 10 W, the same on every day.
_HOUSE = (
    b"\x12\x0e\x0c\x0b\x0b\x0e\x19\x28\x26\x20\x1e\x22"
    b"\x2c\x28\x20\x1e\x20\x2a\x38\x40\x3c\x34\x28\x1c"
)
_EVERY_DAY = b"OSGPMEAS\x01\x01\0\0\xff\xff"  # header of a source: one direction, 2000-01-01 on


class Flash:
    """The raw region, as `tables.store` wants it. Allocates nothing.

    The chip programs whole pages. FF leaves an octet as it is, so a record is put into a page of
    FF, which may be programmed again around it.
    """

    unit = 16  # octets

    def __init__(self):
        self._storage = Storage(start=_RAW, len=_RAW_SIZE)
        self._page = bytearray(_PAGE)  # in RAM: while the chip is busy nothing can be read from it

    def read(self, address: int, buf):
        """Fills buf from an address on."""
        self._storage.readblocks(address // _SECTOR, buf, address % _SECTOR)

    def program(self, address: int, buf):
        """Writes buf to erased octets: 0.7 ms a page, in which no interrupt is served."""
        page = self._page
        done = 0
        while done < len(buf):
            start = (address + done) % _PAGE
            n = min(_PAGE - start, len(buf) - done)
            fill(page, 0, _PAGE, 0xFF)
            copy(page, start, buf, done, done + n)
            start = address + done - start
            self._storage.writeblocks(start // _SECTOR, page, start % _SECTOR)
            done += n

    def erase(self, address: int):
        """Sets the sector that begins at an address to FF: 45 ms without interrupts."""
        self._storage.ioctl(6, address // _SECTOR)


class Watchdog:
    """Resets the chip after 8 s without a `feed`.

    Nothing stops it once it runs, so the first feed starts it, and in service mode none does.
    """

    def __init__(self):
        self._timer = None

    def feed(self):
        if self._timer is None:
            if service:
                return
            self._timer = machine.WDT(timeout=_WATCHDOG_MS)
        self._timer.feed()


def _service() -> str:
    """Why the device is not to run, but to be reached: service mode. Empty: it is to run."""
    if Pin(_SERVICE, Pin.IN, Pin.PULL_UP).value() == 0:
        return "the service jumper is fitted"
    if machine.mem32[_SCRATCH_0] == _WANTED:
        return "asked for; board.reset() leaves it"
    if os.statvfs("/")[0] == 0:  # _boot.py mounted nothing there
        return "there is no file system"
    return ""


def _reset_cause() -> str:
    if machine.reset_cause() != machine.WDT_RESET:
        return "power on"
    return "watchdog" if machine.mem32[_SCRATCH_4] == _STARTED else "reset"


def _read_house(offset: int, buf):
    """A measured source for everyday use: _HOUSE on every day that there is."""
    if offset < len(_EVERY_DAY):
        buf[:] = _EVERY_DAY
        return
    quarter = (offset - len(_EVERY_DAY)) // 3
    buf[:] = (_HOUSE[quarter // 4 % 24] * 2500).to_bytes(3, "little")


def bank(k: int):
    """Code bank k (0: A, 1: B) where it lies in flash, to be mounted in place."""
    return memoryview(vfs.rom_ioctl(2, 0))[k * _BANK_SIZE : (k + 1) * _BANK_SIZE]


def settings():
    """The settings, in a folder of the file system that _boot.py mounted."""
    from settings import Settings

    return Settings("/settings")


def element():
    """What measures: simulated, on the measured source in /source if there is one.

    A meter has the driver of its metering chip here (interface: meter/element.py).
    """
    from meter.element import SimulatedElement

    try:
        source = open("/source", "rb")  # noqa: SIM115  as long as the device lives
    except OSError:
        return SimulatedElement(_read_house)

    def read(offset, buf):
        source.seek(offset)
        source.readinto(buf)

    return SimulatedElement(read)


def installation_key(_):
    """The 16 octets in /installation.key. None: nobody can make this device a member."""
    try:
        with open("/installation.key", "rb") as file:
            key = file.read()
    except OSError:
        return None
    return key if len(key) == _KEY else None


def aes(key: bytes):
    """The function encrypt(block of 16) -> 16 octets under a key of 16."""
    return cryptolib.aes(key, _ECB).encrypt


def random(n: int) -> bytes:
    """n octets, 32 at most, from RANDOM_SOURCE.

    The port mixes the oscillator's bits, which are biased, in a shift register of 8 bits. Should
    the oscillator stand still, the register goes round in 93 octets, or 31, 3 or 1, and what comes
    out looks random. Hence 93 for each draw: all draws are then the same, and that can be seen.
    """
    return hashlib.sha256(os.urandom(_MIXER_CYCLE)).digest()[:n]


def reset():
    """Restarts the device, out of service mode too."""
    machine.mem32[_SCRATCH_0] = 0
    machine.reset()


def reset_to_service():
    """Restarts into service mode: for who wants to change what is in flash."""
    machine.mem32[_SCRATCH_0] = _WANTED
    machine.reset()


service = _service()
reset_cause = _reset_cause()
ticks_ms = time.ticks_ms  # both wrap at 2**30 on this port
ticks_us = time.ticks_us
flash = Flash()
plc = machine.UART(
    1, _PLC_BAUD, tx=Pin(_PLC_TX), rx=Pin(_PLC_RX), timeout=0, timeout_char=0,
    rxbuf=_PLC_RX_BUFFER, txbuf=_PLC_TX_BUFFER,
)  # fmt: skip
console = sys.stdin.buffer
watchdog = Watchdog()

"""What the boards with an RP2040 or RP2350 have in common: banks, random, the line's UART, and a
mark that outlives a reset."""

import hashlib
import os

import machine
import vfs
from common.raw_flash import RawFlash
from machine import UART, Pin
from micropython import const

_BANK_SIZE = const(0x32000)
_PAGE = const(256)  # what the port programs at a time
_SCRATCH = const(0x0C)  # from the watchdog's base; outlives every reset but power-on
_SCRATCH_4 = const(0x1C)
# The pico-sdk puts it into number 4 when it starts the watchdog, and clears it for a reset that
# was asked for (hardware_watchdog/watchdog.c).
_STARTED = const(0x6AB73121)
_WANTED = const(0x2E5E71CE)  # ours, in number 0
_MIXER_CYCLE = const(93)  # octets
# Octets. Received: what comes in while we compute, a slice and a collection, 11.5 a ms at most.
# Sent: the longest MIP message with every octet doubled, so that a write never waits.
_RX_BUFFER = const(1024)
_TX_BUFFER = const(520)

RANDOM_SOURCE = "os.urandom: the chip's ring oscillator, hashed"


class ScratchMark:
    """A wish that outlives a reset but not the power: in a register of the watchdog."""

    def __init__(self, watchdog_base: int):
        self._address = watchdog_base + _SCRATCH

    def is_set(self) -> bool:
        return machine.mem32[self._address] == _WANTED

    def set(self, wanted: bool):
        machine.mem32[self._address] = _WANTED if wanted else 0


def cause(watchdog_base: int) -> str:
    """Why the chip started. To the port the watchdog and `machine.reset` are the same."""
    if machine.reset_cause() != machine.WDT_RESET:
        return "power on"
    return "watchdog" if machine.mem32[watchdog_base + _SCRATCH_4] == _STARTED else "reset"


def bank(k: int):
    """Code bank k (0: A, 1: B) where it lies in flash. None: this VM has no ROMFS."""
    if not hasattr(vfs, "rom_ioctl"):
        return None
    return memoryview(vfs.rom_ioctl(2, 0))[k * _BANK_SIZE : (k + 1) * _BANK_SIZE]


def bank_flash(k: int):
    """Code bank k as the raw region is, to be written. None: this VM has no ROMFS."""
    if not hasattr(vfs, "rom_ioctl"):
        return None
    return RawFlash(vfs.rom_ioctl(2, 0), _PAGE, k * _BANK_SIZE)


def line(baud: int, tx: int, rx: int) -> UART:
    """UART1 on two pins, of those that it may have."""
    return UART(
        1, baud, tx=Pin(tx), rx=Pin(rx), timeout=0, timeout_char=0,
        rxbuf=_RX_BUFFER, txbuf=_TX_BUFFER,
    )  # fmt: skip


def random(n: int) -> bytes:
    """n octets, 32 at most, from RANDOM_SOURCE.

    The port mixes the oscillator's bits in a shift register of 8 bits. Should the oscillator stand
    still, that goes round in 93 octets, or 31, 3 or 1, and what comes out looks random. Hence 93
    for each draw: all draws are then the same, and that can be seen.
    """
    return hashlib.sha256(os.urandom(_MIXER_CYCLE)).digest()[:n]

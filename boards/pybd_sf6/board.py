"""A Pyboard D SF6 (STM32F767) as the meter's processor: pins, UART and flash map.

What each name is for stands in ../unix/board.md; wires, parts and the flash map in board.md.
"""
# ruff: noqa: F401  some names are here for boot.py and device.py

import io
import os
import sys
import time

import machine
import pyb
import vfs
from common import service as service_mode
from common.crypto import aes
from common.files import element, installation_key, settings, update_key
from common.raw_flash import RawFlash
from machine import Pin
from micropython import const

# Pins by the names on the board (the port's boards/PYBD_SF6/pins.csv). UART1 is on Y1 (TX) and Y2
# (RX), and can be on no others.
_PLC_UART = const(1)
_SERVICE = const("Y12")  # to ground: service mode
_SUPPLY = const("EN_3V3")  # the 3V3 pin is dead until this is high

_PLC_BAUD = const(115200)
_PLC_RX_BUFFER = const(1024)  # octets that come in while we compute, collect or send

_BANK_SIZE = const(0x32000)  # in the second flash chip, which is mapped into memory
_RAW = const(0x0B0000)  # in the first flash chip, behind the file system
_RAW_SIZE = const(0x4C000)

_POLL = const(3)  # ioctl: what of these flags is true
_INPUT = const(1)
_EINVAL = const(22)
_WATCHDOG_MS = const(8000)  # as on the other boards; the chip takes 32768

NAME = "pybd_sf6"
INSECURE = False
OPEN_NM = False  # network management by anybody, for tests with foreign stacks
RANDOM_SOURCE = "os.urandom: the STM32F767's RNG"


class Line(io.IOBase):
    """The UART to the PLC transceiver. Its `read` waits 2 ms for one octet more than there are, so
    it is asked for those that are there.
    """

    def __init__(self, uart):
        self._uart = uart
        self.write = uart.write  # no buffer: returns when the last octet has left

    def readinto(self, buf):
        """Reads what is there. Returns the number of octets, or None when there are none."""
        n = self._uart.any()
        return self._uart.readinto(buf, min(n, len(buf))) if n else None

    def ioctl(self, request, flags):
        if request != _POLL:
            return -_EINVAL
        return flags & _INPUT if self._uart.any() else 0


def bank(k: int):
    """Code bank k (0: A, 1: B) where it lies in flash, to be mounted in place."""
    return vfs.rom_ioctl(2, 0)[k * _BANK_SIZE : (k + 1) * _BANK_SIZE]


def bank_flash(_):
    """Returns None: the port erases its ROM file system as a whole only, and one bank runs."""


def reset():
    """Restarts the device, out of service mode too."""
    _mark.set(False)
    machine.reset()


def reset_to_service():
    """Restarts into service mode: for who wants to change what is in flash."""
    _mark.set(True)
    machine.reset()


_mark = service_mode.FileMark("/service")
service = service_mode.reason(Pin(_SERVICE, Pin.IN, Pin.PULL_UP), _mark)
reset_cause = service_mode.cause()
random = os.urandom  # 0 when the RNG gives nothing in time
ticks_ms = time.ticks_ms  # both wrap at 2**30 on this port
ticks_us = time.ticks_us
flash = RawFlash(pyb.Flash(start=_RAW, len=_RAW_SIZE))
Pin(_SUPPLY, Pin.OUT, value=1)
plc = Line(
    machine.UART(_PLC_UART, _PLC_BAUD, timeout=0, timeout_char=0, rxbuf=_PLC_RX_BUFFER),
)
console = sys.stdin.buffer
watchdog = service_mode.Watchdog(_WATCHDOG_MS, service)

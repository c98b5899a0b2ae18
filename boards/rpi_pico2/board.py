"""A Raspberry Pi Pico 2 as the meter's processor: pins and flash map.

What each name is for stands in ../unix/board.md; wires, parts and the flash map in board.md.
"""
# ruff: noqa: F401  some names are here for boot.py and device.py

import sys
import time

import machine
from common import rp2_parts
from common import service as service_mode
from common.crypto import aes
from common.files import element, installation_key, settings, update_key
from common.raw_flash import RawFlash
from common.rp2_parts import RANDOM_SOURCE, bank, bank_flash, random
from machine import Pin
from micropython import const
from rp2 import Flash

# Pins by GPIO number (pins.csv; RP2350 datasheet 9.4: UART1 may have these two)
_PLC_TX = const(4)
_PLC_RX = const(5)
_SERVICE = const(22)  # to ground: service mode

_PLC_BAUD = const(115200)

_PAGE = const(256)  # what the port programs at a time
_RAW = const(0)  # in rp2.Flash(), which begins behind the banks
_RAW_SIZE = const(0x4C000)

_WATCHDOG = const(0x400D8000)  # its registers (RP2350 datasheet 12.9)
_WATCHDOG_MS = const(8000)  # the port takes 8388 at most

NAME = "rpi_pico2"
INSECURE = False
OPEN_NM = False  # network management by anybody, for tests with foreign stacks


def reset():
    """Restarts the device, out of service mode too."""
    _mark.set(False)
    machine.reset()


def reset_to_service():
    """Restarts into service mode: for who wants to change what is in flash."""
    _mark.set(True)
    machine.reset()


_mark = rp2_parts.ScratchMark(_WATCHDOG)
service = service_mode.reason(Pin(_SERVICE, Pin.IN, Pin.PULL_UP), _mark)
reset_cause = rp2_parts.cause(_WATCHDOG)
ticks_ms = time.ticks_ms  # both wrap at 2**30 on this port
ticks_us = time.ticks_us
flash = RawFlash(Flash(start=_RAW, len=_RAW_SIZE), _PAGE)
plc = rp2_parts.line(_PLC_BAUD, _PLC_TX, _PLC_RX)
console = sys.stdin.buffer
watchdog = service_mode.Watchdog(_WATCHDOG_MS, service)

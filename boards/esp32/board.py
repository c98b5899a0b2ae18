"""An ESP32 module (WROOM or WROVER) as the meter's processor: pins.

What each name is for stands in ../unix/board.md; wires, parts and the flash map in board.md.
"""
# ruff: noqa: F401  some names are here for boot.py and device.py

import sys
import time

import machine
from common import esp32_parts
from common import service as service_mode
from common.crypto import aes
from common.esp32_parts import RANDOM_SOURCE, bank, bank_flash
from common.files import element, installation_key, settings, update_key
from machine import Pin
from micropython import const

# Pins by GPIO number. None of them is a strapping pin or leads to the module's flash or RAM.
_PLC_TX = const(25)
_PLC_RX = const(26)
_SERVICE = const(27)  # to ground: service mode

_PLC_BAUD = const(115200)
_WATCHDOG_MS = const(8000)  # as on the other boards; the chip would take more

NAME = "esp32"
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


_mark = service_mode.FileMark("/service")
service = service_mode.reason(Pin(_SERVICE, Pin.IN, Pin.PULL_UP), _mark)
reset_cause = service_mode.cause()
random = esp32_parts.generator().random
ticks_ms = time.ticks_ms  # both wrap at 2**30 on this port
ticks_us = time.ticks_us
flash = esp32_parts.raw_region()
plc = esp32_parts.line(_PLC_BAUD, _PLC_TX, _PLC_RX)
console = sys.stdin.buffer
watchdog = service_mode.Watchdog(_WATCHDOG_MS, service)

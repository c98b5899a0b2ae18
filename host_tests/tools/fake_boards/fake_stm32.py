"""The stm32 port as far as boards/pybd_sf6 uses it (ports/stm32, MicroPython 1.25)."""
# ruff: noqa: A002, N801  the port's names

import fake_parts
import port_pins

flash = fake_parts.Flash(0x200000)
raw = (flash, 0x0B0000)
files = (flash, 0)
rom = memoryview(bytearray(b"\xff" * 0x200000))
LINE = (1, 115200, "Y1", "Y2")
SERVICE = "Y12"


class Pin(fake_parts.Pin):
    known = tuple(port_pins.PYBD)


class UART(fake_parts.Uart):
    def __init__(self, number, baud, *, timeout, timeout_char, rxbuf):
        self.pins = port_pins.PYBD_UARTS[number]
        self._open(number, baud, {"timeout": timeout, "timeout_char": timeout_char})

    def any(self):
        return len(self.incoming)

    def readinto(self, buf, n):
        if not 0 < n <= len(self.incoming):
            raise ValueError("waits 2 ms for an octet that does not come")
        buf[:n] = self.incoming[:n]
        self.incoming = self.incoming[n:]
        return n


class machine:
    Pin = Pin
    UART = UART
    WDT = fake_parts.Watchdog
    PWRON_RESET = 1
    HARD_RESET = 2
    WDT_RESET = 3
    SOFT_RESET = 0
    cause = 1
    reset = fake_parts.reset

    @staticmethod
    def reset_cause():
        return machine.cause


class Flash(fake_parts.Device):
    """storage.c: returns its errors."""

    def __init__(self, start, len):
        super().__init__(flash, start, len)


class pyb:
    Flash = Flash


modules = {"machine": machine, "pyb": pyb}


def rom_ioctl(command, segment):
    assert (command, segment) == (2, 0)
    return rom


def restart(cause):
    """What machine.reset_cause says at a start."""
    machine.cause = {"power on": 1, "reset": 2, "watchdog": 3}[cause]

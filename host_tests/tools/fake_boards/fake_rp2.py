"""The rp2 port as far as boards/rpi_pico2 uses it (ports/rp2, MicroPython 1.25)."""
# ruff: noqa: A002, N801, N802  the port's names

import fake_parts
import port_pins

VM_SIZE = 0xA0000
BANKS = 409600
STORAGE = 0x400000 - VM_SIZE - BANKS  # MICROPY_HW_FLASH_STORAGE_BYTES
SCRATCH = 0x400D8000 + 0x0C  # RP2350: WATCHDOG_BASE of addressmap.h
STARTED = 0x6AB73121

flash = fake_parts.Flash(STORAGE, 256)
raw = (flash, 0)
files = (flash, 0x4C000)
rom = fake_parts.rom(BANKS, 256)
memory = fake_parts.Memory({SCRATCH: 0, SCRATCH + 16: 0})
LINE = (1, 115200, 4, 5)
SERVICE = 22


class Pin(fake_parts.Pin):
    known = port_pins.RP2


class UART(fake_parts.Uart):
    def __init__(self, number, baud, *, tx, rx, timeout, timeout_char, rxbuf, txbuf):
        if tx.name not in port_pins.RP2_UART1_TX or rx.name not in port_pins.RP2_UART1_RX:
            raise ValueError("bad TX or RX pin")  # as the port says
        if not 32 <= txbuf <= 32766 or not 32 <= rxbuf <= 32766:
            raise ValueError("buffers")
        self._open(number, baud, {"timeout": timeout, "timeout_char": timeout_char})
        self.pins = (tx.name, rx.name)


class machine:
    Pin = Pin
    UART = UART
    WDT = fake_parts.Watchdog
    PWRON_RESET = 1
    WDT_RESET = 3
    cause = 1
    mem32 = memory
    reset = fake_parts.reset

    @staticmethod
    def reset_cause():
        return machine.cause


class rp2:
    @staticmethod
    def Flash(start, len):
        return fake_parts.Device(flash, start, len)


modules = {"machine": machine, "rp2": rp2}


def rom_ioctl(command, segment):
    assert (command, segment) == (2, 0)
    return rom


def restart(cause):
    """What the chip keeps over a start. cause: "power on", "reset", "watchdog"."""
    machine.cause = 1 if cause == "power on" else 3
    if cause == "power on":
        memory.words[SCRATCH] = 0
    memory.words[SCRATCH + 16] = STARTED if cause == "watchdog" else 0

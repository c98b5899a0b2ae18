"""What the boards with an ESP32 have in common: partitions, and noise from the radio.

partitions.csv beside this file has the labels.
"""

import network
import vfs
from common.crypto import Generator, noise
from common.raw_flash import RawFlash
from esp32 import Partition
from machine import UART, Pin
from micropython import const

_BANK_SIZE = const(0x32000)
# Octets. Received: what comes in while we compute and collect, 11.5 a ms at most. Sent: the
# longest MIP message with every octet doubled, so that a write never waits.
_RX_BUFFER = const(1024)
_TX_BUFFER = const(520)

RANDOM_SOURCE = "noise of the radio's converter at each start, then SHA-256 of it"


def raw_region() -> RawFlash:
    """The partition `raw`. The port takes octets at any place, so records are not padded."""
    return RawFlash(Partition.find(Partition.TYPE_DATA, label="raw")[0])


def bank(k: int):
    """Code bank k (0: A, 1: B) where it lies in flash. None: this VM has no ROMFS."""
    if not hasattr(vfs, "rom_ioctl"):
        return None
    return memoryview(vfs.rom_ioctl(2, 0))[k * _BANK_SIZE : (k + 1) * _BANK_SIZE]


def bank_flash(k: int):
    """Code bank k as the raw region is, to be written. None: this VM has no ROMFS."""
    if not hasattr(vfs, "rom_ioctl"):
        return None
    return RawFlash(vfs.rom_ioctl(2, 0), start=k * _BANK_SIZE)


def line(baud: int, tx: int, rx: int) -> UART:
    """UART1 on two pins: the GPIO matrix leads it to any that can be an output, an input."""
    return UART(
        1, baud, tx=Pin(tx), rx=Pin(rx), timeout=0, timeout_char=0,
        rxbuf=_RX_BUFFER, txbuf=_TX_BUFFER,
    )  # fmt: skip


def generator() -> Generator:
    """Random octets, seeded while the radio runs: its converter is the noise (IDF, "Random Number
    Generation"). Without it the register is a pseudo-random one that cannot be told from a good
    one, so without the radio there is no seed. It sends nothing, and is off afterwards.
    """
    try:
        radio = network.WLAN(network.STA_IF)
        radio.active(True)
        seed = noise()
        radio.active(False)
    except (OSError, RuntimeError) as error:
        print("board: the radio does not start, so there is no random:", repr(error))
        seed = None
    return Generator(seed)

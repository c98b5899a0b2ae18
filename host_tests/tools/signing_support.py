"""Small images and keys for the tests of signing."""

import hashlib
from pathlib import Path

from osgp_tools import image, signing
from osgp_tools.flash import SECTOR
from osgp_tools.image_check import Signed

HEIGHT = 5  # the smallest tree: 32 one-time keys, made in a tenth of a second
KEYS = 1 << HEIGHT


def small_image(
    version: int = 1, content: bytes = b"\xd2\xcd\x31 no real ROMFS", **header
) -> bytes:
    """An image, not signed, with a few octets where the modules would be."""
    digest = hashlib.sha256(content).digest()
    of = image.Header(len(content), digest, version, **header)
    return of.encode().ljust(SECTOR, b"\xff") + content


def number_of(signed: bytes) -> int:
    """Of the one-time key that signed an image."""
    made = Signed.of(signed)
    assert made
    return made.number


def spend(path: Path, count: int) -> list[int]:
    """Sign so many images. Returns the numbers."""
    return [number_of(signing.sign(small_image(1000 + k), path)) for k in range(count)]

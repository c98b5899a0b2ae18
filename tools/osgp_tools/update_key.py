"""The key under which a device takes images, as `osgp image keygen` leaves it in a file.pub."""

from pathlib import Path

import signature


def read(path: Path) -> bytes:
    """The 60 octets of a file. ValueError: they are no such key; OSError."""
    key = path.read_bytes()
    if not signature.size(key):
        raise ValueError(f"{path} holds no public key for images (osgp image keygen)")
    return key

"""Code banks for a MicroPython as it comes: a folder of .mpy files and a header.

The header is that of a bank in flash (`osgp_tools.image`) with another format and a SHA-256 over
all files. `firmware/boot.py` reads what this makes; `host_tests/tools/test_folder_bank.py` holds
them together.
"""

import hashlib
from pathlib import Path

from osgp_tools import image
from osgp_tools.image import FIRMWARE, Header, ImageError

HEADER = "header"  # its name in the folder
_FORM = slice(8, 10)  # where a header has its format
_FORMAT = b"\x02\x00"


def modules(firmware: Path = FIRMWARE) -> dict[str, bytes]:
    """The compiled modules of a firmware folder, by their paths in the bank. Raises ImageError."""
    return {
        name.removesuffix(".py") + ".mpy": image.compile_module(firmware, name)
        for name in image.sources(firmware)
    }


def digest(files: dict[str, tuple[int, bytes]]) -> bytes:
    """Of a bank, from length and SHA-256 of each of its files."""
    total = hashlib.sha256()
    for name in sorted(files, key=lambda name: name.split("/")):
        size, one = files[name]
        total.update(f"{name} {size} ".encode() + one)
    return total.digest()


def digests(files: dict[str, bytes]) -> dict[str, tuple[int, bytes]]:
    """Length and SHA-256 of each file."""
    return {name: (len(code), hashlib.sha256(code).digest()) for name, code in files.items()}


def header(files: dict[str, bytes], version: int) -> bytes:
    """The header of a bank of these modules. ImageError: not one kind of bytecode."""
    kinds = {(mpy[1], mpy[3]) for mpy in files.values()}
    if len(kinds) != 1:
        raise ImageError(f"modules of {len(kinds)} kinds of bytecode in one bank")
    mpy, bits = kinds.pop()
    length = sum(map(len, files.values()))
    encoded = bytearray(
        Header(length, digest(digests(files)), version, mpy=mpy, small_int_bits=bits).encode()
    )
    encoded[_FORM] = _FORMAT
    return bytes(encoded)


def decode(encoded: bytes) -> Header:
    """The header of a folder. ImageError: it is none."""
    if encoded[_FORM] != _FORMAT:
        raise ImageError("no header of a folder")
    one = image.FORMAT.to_bytes(2, "little")
    return Header.decode(encoded[: _FORM.start] + one + encoded[_FORM.stop :])

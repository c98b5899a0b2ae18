"""What a device looks at before it takes an image, looked at on the host.

Signatures are judged by the device's own code (`firmware/signature.py`).
"""

import hashlib
from dataclasses import dataclass

import signature
from osgp_tools.flash import SECTOR
from osgp_tools.image import (
    ANY_BOARD,
    BYTECODE,
    LARGEST,
    SIGNATURE,
    SMALL_INT_BITS,
    Header,
    ImageError,
)

KEY = 60  # octets of a public key
_HEIGHT = {5: 5, 6: 10, 7: 15, 8: 20}  # of a tree by its LMS type (RFC 8554 table 2)
_TYPE = SIGNATURE + 2188  # where the signature says it
_UNSIGNED = b"\xff" * 4


class CheckError(Exception):
    """An image that a device would not take; the text is why."""


@dataclass(frozen=True)
class Signed:
    """What a signature says of itself; whether it is good is not known yet."""

    number: int  # of the one-time key, from 0
    keys: int  # that the signing key had when it was made
    octets: bytes

    @classmethod
    def of(cls, image: bytes) -> "Signed | None":
        """None: the image is not signed. CheckError: by something that is not known here."""
        if image[SIGNATURE : SIGNATURE + 4] == _UNSIGNED:
            return None
        height = _HEIGHT.get(int.from_bytes(image[_TYPE : _TYPE + 4], "big"))
        if height is None:
            raise CheckError("behind the header is something that is no signature")
        number = int.from_bytes(image[SIGNATURE + 4 : SIGNATURE + 8], "big")
        end = _TYPE + 4 + 32 * height
        return cls(number, 1 << height, image[SIGNATURE:end])


def check(image: bytes) -> Header:
    """The header of an image that is whole and may go over the line, signed or not. CheckError."""
    try:
        header = Header.decode(image)
    except ImageError as error:
        raise CheckError(str(error)) from None
    if len(image) > LARGEST:
        raise CheckError(f"{len(image)} octets; a download has {LARGEST} at most")
    if header.length == 0 or len(image) != SECTOR + header.length:
        raise CheckError(f"{len(image)} octets; by its header {SECTOR + header.length}")
    if header.mpy != BYTECODE or header.small_int_bits > SMALL_INT_BITS:
        raise CheckError(
            f"bytecode of version {header.mpy}, small ints of {header.small_int_bits} bits"
        )
    if hashlib.sha256(image[SECTOR:]).digest() != header.digest:
        raise CheckError("it is damaged: the SHA-256 differs")
    signed = Signed.of(image)
    end = SIGNATURE + (len(signed.octets) if signed else 0)
    if image[end:SECTOR].strip(b"\xff"):
        raise CheckError("there is something in the first sector that does not belong there")
    return header


def verify(image: bytes, key: bytes, family: str = "") -> Header:
    """As `check`, and that the signature is good under a public key; `family`: of the board that
    is to take it, if it is known. CheckError."""
    header = check(image)
    if family and header.family not in (family, ANY_BOARD):
        raise CheckError(f"it is for boards of the family {header.family}")
    signed = Signed.of(image)
    if signed is None:
        raise CheckError("it is not signed")
    if not signature.check(key, image[:SIGNATURE], signed.octets):
        raise CheckError("its signature is not good under this key")
    return header


def signed_with(image: bytes, octets: bytes) -> bytes:
    """The image with a signature in the place of what signature it had."""
    return (image[:SIGNATURE] + octets).ljust(SECTOR, b"\xff") + image[SECTOR:]

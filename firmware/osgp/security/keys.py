"""Rare: keys that are made from keys, security mode 0."""

from osgp.kernels import digest

_LEFT = b"\x81\x3f\x52\x9a\x7b\xe3\x89\xba"
_RIGHT = b"\x72\xb0\x91\x8d\x44\x05\xaa\x57"
_ZEROS = bytes(48)  # one whole block, or no round would be run


def base_key(omak) -> bytes:
    """The base encryption key, 16 octets, of a 12-octet open media access key (eprint 2015/428).

    RC4 runs under this key with the message's digest over its first half. Only the first 6 octets
    of the OMAK enter: the encryption is as strong as 48 bits, and that is what the devices in the
    field do.
    """
    key = bytes(omak[:6])
    halves = b""
    for constant in (_LEFT, _RIGHT):
        state = bytearray(constant)
        digest(state, key, 0, _ZEROS, 0, len(_ZEROS))
        halves += bytes(state)
    return halves


run = base_key

"""Keys that are made from keys, security mode 0."""

from osgp.security.digest import authentication

_LEFT = b"\x81\x3f\x52\x9a\x7b\xe3\x89\xba"
_RIGHT = b"\x72\xb0\x91\x8d\x44\x05\xaa\x57"


def base_key(omak) -> bytes:
    """The base encryption key, 16 octets, of a 12-octet open media access key (eprint 2015/428).

    RC4 runs under this key with the message's digest over its first half. Only the first 6 octets
    of the OMAK enter: the encryption is as strong as 48 bits, and that is what the devices in the
    field do.
    """
    key = omak[:6]
    zeros = bytes(48)  # one whole block, or no round would be run
    return authentication(key, _LEFT, zeros) + authentication(key, _RIGHT, zeros)

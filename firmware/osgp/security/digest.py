"""Rare: one function, two uses: OSGP's OMA digest, and the authentication of ISO/IEC 14908-1.

Both in one call each, with a new state and a new result: for what is rare, for tests and for the
host. The frame path runs `kernels.digest` over its own buffers. The function is weak (eprint
2015/428 finds the key from about 13 chosen queries): it is here because every device in the field
has it.
"""

from osgp import kernels


def oma_digest(key, message) -> bytes:
    """The digest of an OSGP message under the open media access key, 8 octets.

    key: 12 octets (power line) or 16 (MEP). The length is not part of it: trailing zeros up to the
    end of a block of 144 or 192 octets change nothing.
    """
    return _run(bytearray(8), key, message)


def authentication(key, random8, data) -> bytes:
    """The 8 octets that a REPLY carries for a CHALLENGE's 8 (ISO/IEC 14908-1, authentication).

    key: 6 octets, with the APDU as data; or open media authentication: the two domains' keys
    together, 12 octets, with the 9 octets of the OMA address before the APDU. The data is taken
    from its end.
    """
    return _run(bytearray(random8), key, bytes(reversed(data)))


def _run(state, key, message) -> bytes:
    kernels.digest_pad(state, key, kernels.digest(state, key, 0, message, 0, len(message)))
    return bytes(state)


run = authentication

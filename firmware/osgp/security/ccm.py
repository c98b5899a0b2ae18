"""Rare: CMAC (NIST SP 800-38B) and CCM (NIST SP 800-38C) over a block cipher that the board
brings.

`aes` is the cipher under one key: a function, 16 octets in, 16 octets out, forward direction only.
Written to be read and to be small: for commissioning, for the making of keys, and for refusals.
The frame path has its own CCM (`aes.py`), which allocates nothing.

A CCM nonce may be used once under a key. Here: nonce 7 to 13 octets, aad below 65,280 octets,
tag_len 4, 6 .. 16; the callers have constants for all three.
"""

from osgp import kernels


def cmac(aes, message) -> bytes:
    """The CMAC of a message of any length, 16 octets."""
    text = bytearray(message)
    subkey = _double(aes(bytes(16)))
    if not text or len(text) % 16:
        subkey = _double(subkey)
        text.append(0x80)
        text.extend(bytes(-len(text) % 16))
    text[-16:] = _xor(text[-16:], subkey)
    return _chain(aes, bytes(16), text)


def seal(aes, nonce, aad, text, tag_len: int) -> bytes:
    """Encrypts text, authenticates it and aad. Returns the ciphertext and behind it the tag."""
    return _crypt(aes, nonce, text) + _tag(aes, nonce, aad, text, tag_len)


def open_(aes, nonce, aad, sealed, tag_len: int):
    """The text, as bytes, of what `seal` returned; None when anything is not as it was sealed."""
    end = len(sealed) - tag_len
    if end < 0:
        return None
    text = _crypt(aes, nonce, sealed[:end])
    tag = _tag(aes, nonce, aad, text, tag_len)
    return text if kernels.equal(tag, 0, sealed, end, tag_len) else None


def _crypt(aes, nonce, text) -> bytes:
    """Counter mode from block 1 on; its own inverse."""
    out = b""
    for a in range(0, len(text), 16):
        key = aes(_block(14 - len(nonce), nonce, a // 16 + 1))
        out += _xor(text[a : a + 16], key)
    return out[: len(text)]


def _tag(aes, nonce, aad, text, tag_len: int) -> bytes:
    """CBC-MAC over lengths, aad and text, hidden under block 0 of the key stream."""
    flags = (0x40 if aad else 0) | (tag_len - 2) // 2 << 3 | 14 - len(nonce)
    mac = aes(_block(flags, nonce, len(text)))
    if aad:
        mac = _chain(aes, mac, len(aad).to_bytes(2, "big") + aad)
    mac = _chain(aes, mac, text)
    key = aes(_block(14 - len(nonce), nonce, 0))
    return _xor(mac, key)[:tag_len]


def _block(flags: int, nonce, number: int) -> bytes:
    return bytes((flags,)) + nonce + number.to_bytes(15 - len(nonce), "big")


def _chain(aes, mac, text) -> bytes:
    """CBC-MAC of text from the state `mac` on, the last block filled up with zeros."""
    for a in range(0, len(text), 16):
        mac = aes(_xor(mac, text[a : a + 16]))
    return mac


def _xor(x, y) -> bytes:
    """16 octets out of two of at most as many; the shorter counts as ending in zeros.

    As whole numbers: a loop over octets makes commissioning a slice too long on a Pico.
    """
    return (int.from_bytes(x, "little") ^ int.from_bytes(y, "little")).to_bytes(16, "little")


def _double(block) -> bytearray:
    """Times x in GF(2^128), without a branch on the (secret) block."""
    out = bytearray(16)
    carry = 0
    for i in range(15, -1, -1):
        out[i] = (block[i] << 1 | carry) & 0xFF
        carry = block[i] >> 7
    out[15] ^= carry * 0x87
    return out

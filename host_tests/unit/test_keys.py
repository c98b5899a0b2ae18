"""Base key and RC4 under it, security mode 0.

The figures have no outside source: they keep in place what was once computed from the description
(eprint 2015/428 and the MEP guide).
"""

from osgp import kernels
from osgp.security.digest import oma_digest
from osgp.security.keys import base_key
from support import unhex

OMAK = b"\xdf" * 12
MEP_KEY = b"\x01" * 16
# What the MEP guide encrypts under a key to have its base key (p.263)
MEP_DATA = "388B8FBC36A8558587AFC90FB23A3B99"


def message_key(base: bytes, digest: bytes) -> bytes:
    """The key of one message: its digest over the first half of the base key."""
    return bytes(base[i] ^ digest[i] for i in range(8)) + base[8:]


def encrypted(key: bytes, text: bytes) -> bytearray:
    state = bytearray(258)
    out = bytearray(text)
    kernels.rc4_key(state, key)
    kernels.rc4(state, out, 0, len(out))
    return out


def test_base_key():
    assert base_key(OMAK) == unhex("C33EF2FFB0AAAE76ED039AD0804D67AA")
    assert base_key(unhex("0102030405060708090A0B0C")) == unhex("621ED3ED23A1455082874D6AF95335A6")


def test_base_key_takes_half_of_the_omak():
    assert base_key(OMAK[:6] + b"\x00" * 6) == base_key(OMAK)
    assert base_key(b"\xde" + OMAK[1:]) != base_key(OMAK)


def test_power_line_message():
    text = unhex("02020030 00037F30EA6D 0000000D 0020980031C30008000000000011")
    key = message_key(base_key(OMAK), oma_digest(OMAK, text))
    assert key == unhex("18DB3F1AB71B654BED039AD0804D67AA")
    assert encrypted(key, text) == unhex(
        "E52847CF97FD90BAA0262C509AF1C062E2FD3AF5ADC0DCC4B252F11B"
    )


def test_mep_message():
    base = bytes(encrypted(MEP_KEY, unhex(MEP_DATA)))
    assert base == unhex("3E8381B22E887CACBE9C8058D44CBC1A")
    text = unhex("3F0017000000002C77635B91")
    assert encrypted(message_key(base, oma_digest(MEP_KEY, text)), text) == unhex(
        "5445EC99F5CB4C265DF268C1"
    )

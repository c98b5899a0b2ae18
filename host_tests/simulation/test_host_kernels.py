"""The simulation's kernels do what the firmware's plain ones do."""

import random
import subprocess
import sys

import pytest

from osgp import kernels as plain
from osgp_tools import host_kernels

RANDOM = random.Random(7)


def octets(n):
    return bytearray(RANDOM.randbytes(n))


@pytest.mark.parametrize("size", [1, 2, 8, 77, 140])
def test_checksum_and_moving(size):
    buf, other = octets(size + 6), octets(size + 6)
    assert host_kernels.crc16(buf, 2, size) == plain.crc16(buf, 2, size)
    for name in ("copy", "xor"):
        a, b = bytearray(other), bytearray(other)
        getattr(host_kernels, name)(a, 3, buf, 1, size)
        getattr(plain, name)(b, 3, buf, 1, size)
        assert a == b, name
    a, b = bytearray(other), bytearray(other)
    host_kernels.fill(a, 1, size, 9)
    plain.fill(b, 1, size, 9)
    assert a == b
    assert host_kernels.equal(buf, 1, bytes(buf), 1, size)
    assert not host_kernels.equal(buf, 1, other, 1, size + 5)


@pytest.mark.parametrize("to", [0, 2, 5, 7, 21, 31])
def test_copy_within_one_buffer(to):
    a = octets(60)
    b = bytearray(a)
    host_kernels.copy(a, to, a, 5, 30)
    plain.copy(b, to, b, 5, 30)
    assert a == b


@pytest.mark.parametrize("length", [6, 12, 16])
def test_digest_in_pieces(length):
    key = octets(length)
    for size in (1, 40, 143, 144, 145, 300):
        message = octets(size)
        found = []
        for kernels in (host_kernels, plain):
            acc = bytearray(8)
            pos = kernels.digest(acc, key, 0, message, 0, size // 2)
            pos = kernels.digest(acc, key, pos, message, size // 2, size)
            found.append((bytes(acc), pos))
            assert kernels.digest_pad(acc, key, pos) == 0
            found.append(bytes(acc))
        assert found[:2] == found[2:]


def test_cipher_in_pieces():
    key, text = octets(16), octets(100)
    found = []
    for kernels in (host_kernels, plain):
        state, out = bytearray(258), bytearray(text)
        kernels.rc4_key(state, key)
        kernels.rc4(state, out, 0, 33)
        kernels.rc4(state, out, 33, 100)
        found.append((state, out))
    assert found[0] == found[1]


def test_a_process_takes_them_before_the_firmware_is_there():
    program = (
        "from osgp_tools import host_kernels; host_kernels.install();"
        "from osgp.lon import npdu; assert npdu.copy is host_kernels.copy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(RuntimeError):
        host_kernels.install()

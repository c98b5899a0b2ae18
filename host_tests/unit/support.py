"""What several unit tests share. Runs on CPython and on MicroPython.

A unit test is a file of plain functions `test_*` without arguments and with bare asserts. It
imports firmware modules and this one, so that pytest and `host_tests/mpy_runner.py` run the same
file.
"""

import sys

MICROPYTHON = sys.implementation.name == "micropython"


class Skipped(Exception):  # noqa: N818  not an error
    """A test that this interpreter cannot run; the text is the reason."""


def skip(reason: str):
    """Leaves the test, or the whole file when called at its top level, as skipped."""
    if MICROPYTHON:
        raise Skipped(reason)
    import pytest

    pytest.skip(reason, allow_module_level=True)


def unhex(text: str) -> bytes:
    """The octets written in `text`, spaces allowed."""
    return bytes.fromhex(text.replace(" ", ""))


def noise(n: int, seed: int = 1) -> bytearray:
    """n octets that look random and are the same on every interpreter."""
    out = bytearray(n)
    state = seed & 0xFFFF | 0x10000
    for i in range(n):
        state = state * 25173 + 13849 & 0x1FFFFF
        out[i] = state >> 9 & 0xFF
    return out


def aes(key: bytes):
    """AES in ECB mode: the function encrypt(block) -> block, or encrypt(block, out), that boards
    give the firmware."""
    if MICROPYTHON:
        import cryptolib

        return cryptolib.aes(key, 1).encrypt
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    update = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update

    def encrypt(block, out=None):
        block = update(bytes(block))
        if out is None:
            return block
        out[: len(block)] = block
        return None

    return encrypt


def allocated(fn, n: int = 100):
    """Heap bytes that a call of fn() takes, averaged over n calls after a first; None on CPython.

    fn may be a closure over at most five values: MicroPython takes memory to call one over more.
    """
    if not MICROPYTHON:
        return None
    import micropython

    fn()
    before = micropython.mem_total()
    for _ in range(n):
        fn()
    return (micropython.mem_total() - before) / n

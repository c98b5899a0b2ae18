"""The kernels: outside vectors, MIP framing, no allocation, and viper against plain.

With `boards` on the path (the runner's third run) `osgp.kernels` is the viper one, and every test
here is about it.
"""

import sys

from osgp import kernels
from support import MICROPYTHON, allocated, noise, skip, unhex

VIPER = "boards" in [folder.rsplit("/", 1)[-1] for folder in sys.path]

# Whole LPDUs with their CRC, from a running stack (reference/lon.md 1 and 6)
LPDUS = (
    "01 10 01 85 00 03 61 00 9B05",
    "00 18 00 80 01 85 23 21 040000112233 9FFFFF0501840460 C9E9",
    "00 1C 01 85 00 040000112233 0C 63 00 C0FFEE000000 05 89 03 0102030405AA B7CA",
    "00 0A 05 89 01 85 C0FFEE 24 566E",
    "00 1A 01 85 05 89 C0FFEE 07 51 80B6",
)


def test_the_kernels_of_a_board_are_taken():
    if not VIPER:
        assert "kernels" not in sys.modules
        return
    board = sys.modules["kernels"]
    for name in (
        "copy",
        "crc16",
        "digest",
        "equal",
        "fill",
        "rc4",
        "rc4_key",
        "stuff",
        "unstuff",
        "xor",
    ):
        assert getattr(kernels, name) is getattr(board, name), name


def test_crc16_of_frames():
    for text in LPDUS:
        lpdu = unhex(text)
        end = len(lpdu) - 2
        assert kernels.crc16(lpdu, 0, end) == lpdu[end] << 8 | lpdu[end + 1], text
    # the check value of CRC-16/GENIBUS in the catalogue of parametrised CRCs
    assert kernels.crc16(b"123456789", 0, 9) == 0xD64E
    assert kernels.crc16(b"xx123456789xx", 2, 11) == 0xD64E
    assert kernels.crc16(b"", 0, 0) == 0


def test_rc4_vectors():
    # key, plaintext, ciphertext: the three that everybody has
    for key, text, expected in (
        (b"Key", b"Plaintext", "BBF316E8D940AF0AD3"),
        (b"Wiki", b"pedia", "1021BF0420"),
        (b"Secret", b"Attack at dawn", "45A01F645FC35B383552544B9BF5"),
    ):
        state = bytearray(258)
        for step in (len(text), 3):  # at once, and in pieces
            kernels.rc4_key(state, key)
            out = bytearray(text)
            for a in range(0, len(out), step):
                kernels.rc4(state, out, a, min(a + step, len(out)))
            assert out == unhex(expected), key


def test_rc4_leaves_the_rest_alone():
    state = bytearray(258)
    kernels.rc4_key(state, b"Key")
    out = bytearray(b"..Plaintext..")
    kernels.rc4(state, out, 2, 11)
    assert out == b".." + unhex("BBF316E8D940AF0AD3") + b".."


def test_copy_and_fill():
    out = bytearray(10)
    kernels.copy(out, 3, b"abcdef", 1, 4)
    assert out == b"\0\0\0bcd\0\0\0\0"
    kernels.copy(out, 1, out, 3, 6)  # towards the start of the same buffer
    assert out == b"\0bcdcd\0\0\0\0"
    out = bytearray(b"abc\0\0\0\0\0..")
    kernels.copy(out, 3, out, 0, 5)  # towards its end: repeated
    assert out == b"abcabcab.."
    out = bytearray(b"\0bcdcd\0\0\0\0")
    kernels.copy(out, 9, b"x", 0, 0)
    kernels.fill(out, 0, 2, 0xFF)
    kernels.fill(out, 9, 10, 7)
    kernels.fill(out, 5, 5, 1)
    assert out == b"\xff\xffcdcd\0\0\0\x07"
    kernels.copy(memoryview(out)[5:], 0, b"yz", 0, 2)
    assert out == b"\xff\xffcdcyz\0\0\x07"


def test_equal():
    x = noise(20)
    y = bytearray(b"..") + x
    assert kernels.equal(x, 0, y, 2, 20) is True
    assert kernels.equal(x, 5, y, 7, 0) is True
    for bit in range(160):
        y[2 + (bit >> 3)] ^= 1 << (bit & 7)
        assert kernels.equal(x, 0, y, 2, 20) is False, bit
        assert kernels.equal(x, 0, y, 2, bit >> 3) is True, bit  # the octets before it
        y[2 + (bit >> 3)] ^= 1 << (bit & 7)


def test_xor():
    out = bytearray(b"\x00\x0f\xf0\xff\x55\xaa")
    kernels.xor(out, 1, b"\xee\xff\x81\x18\xee", 1, 4)
    assert out == b"\x00\xf0\x71\xe7\x55\xaa"
    kernels.xor(out, 1, b"\xee\xff\x81\x18\xee", 1, 4)
    assert out == b"\x00\x0f\xf0\xff\x55\xaa"
    kernels.xor(out, 0, b"", 0, 0)
    kernels.xor(out, 5, out, 0, 0)
    kernels.xor(memoryview(out)[2:], 0, memoryview(out)[4:], 0, 2)
    assert out == b"\x00\x0f\xa5\x55\x55\xaa"


def test_stuff_as_captured():
    # captured: read NID, the answer to query status, layer mode; without their code packets
    for text in (
        "14 22 70 00 05 00 00 00 00 00 00 00 00 00 00 00 6D 01 00 00 06 E1",
        "05 E0 1E A0 01 00 5C",
        "01 D0 2F",
    ):
        packet = unhex(text)
        out = bytearray(60)
        assert kernels.stuff(packet, 0, len(packet) - 1, out, 2) == 2 + len(packet)
        assert out[2 : 2 + len(packet)] == packet


def test_stuff_doubles_every_flag():
    out = bytearray(20)
    end = kernels.stuff(unhex("7E 01 7E"), 0, 3, out, 0)
    assert out[:end] == unhex("7E7E 01 7E7E 03")
    end = kernels.stuff(unhex("01 81"), 0, 2, out, 0)  # a checksum of 7E
    assert out[:end] == unhex("01 81 7E7E")
    assert kernels.stuff(b"", 0, 0, out, 5) == 6
    assert out[5] == 0


class Receiver:
    """What `mip.py` keeps for one message."""

    def __init__(self):
        self.out = bytearray(252)
        self.st = bytearray(8)
        self.start()

    def start(self):
        self.st[:4] = b"\x00\xff\x00\x00"

    def feed(self, data, a=0) -> int:
        return kernels.unstuff(data, a, len(data), self.out, self.st)

    def text(self) -> bytes:
        return bytes(self.out[: self.st[3]])


def message(length: int, seed: int = 1) -> bytearray:
    """LEN and as many octets, a quarter of them 7E."""
    text = noise(length + 1, seed)
    for i in range(len(text)):
        if text[i] < 64:
            text[i] = 0x7E
    text[0] = length
    return text


def test_unstuff_every_length_at_once_and_in_pieces():
    out = bytearray(510)
    receiver = Receiver()
    for length in range(251):
        text = message(length, length)
        end = kernels.stuff(text, 0, len(text), out, 0)
        out[end] = 0x55  # what follows stays
        for step in (end + 1, 1, 7):
            receiver.start()
            a = 0
            while a < end and receiver.st[1]:
                a = kernels.unstuff(out, a, min(a + step, end + 1), receiver.out, receiver.st)
            assert a == end, (length, step)
            assert bytes(receiver.st[:4]) == bytes((0, 0, 0, length + 2)), (length, step)
            assert receiver.text()[:-1] == text, (length, step)
            assert receiver.feed(out, a) == a  # complete: takes no more


def test_unstuff_sees_a_wrong_octet():
    receiver = Receiver()
    assert receiver.feed(unhex("05 E0 1E A1 01 00 5C")) == 7
    assert receiver.st[1] == 0
    assert receiver.st[2] == 1


def test_unstuff_stops_where_a_new_packet_starts():
    for pieces in (("05 E0 7E 12",), ("05 E0 7E", "12"), ("05", "E0", "7E", "", "12")):
        receiver = Receiver()
        for piece in pieces[:-1]:
            data = unhex(piece)
            assert receiver.feed(data) == len(data)
            assert receiver.st[0] in (0, 1)
        data = unhex(pieces[-1])
        assert receiver.feed(data) == len(data) - 1  # at the packet's second octet
        assert receiver.st[0] == 2
        assert receiver.st[1] != 0


def test_unstuff_refuses_a_length_above_250():
    for length in (251, 254, 255):
        receiver = Receiver()
        assert receiver.feed(bytes((length, 1, 2, 3))) == 1
        assert receiver.st[0] == 3
    receiver.start()
    assert receiver.feed(b"\xfa\x01") == 2
    assert receiver.st[0] == 0
    assert receiver.st[1] == 250


def test_nothing_is_allocated():
    if not MICROPYTHON:
        skip("CPython does not count")
    data, out = noise(64), bytearray(256)
    accumulator, key, st = bytearray(8), bytes(16), bytearray(8)
    s = bytearray(258)

    def receive():
        st[0] = st[2] = st[3] = 0
        st[1] = 255
        kernels.unstuff(out, 0, 40, data, st)

    for name, call in (
        ("crc16", lambda: kernels.crc16(data, 0, 64)),
        ("digest", lambda: kernels.digest(accumulator, key, 150, data, 0, 64)),
        ("digest_pad", lambda: kernels.digest_pad(accumulator, key, 5)),
        ("rc4_key", lambda: kernels.rc4_key(s, key)),
        ("rc4", lambda: kernels.rc4(s, data, 0, 64)),
        ("copy", lambda: kernels.copy(out, 100, data, 0, 64)),
        ("equal", lambda: kernels.equal(out, 100, data, 0, 64)),
        ("fill", lambda: kernels.fill(out, 0, 64, 0x20)),
        ("xor", lambda: kernels.xor(out, 100, data, 0, 64)),
        ("stuff", lambda: kernels.stuff(data, 0, 64, out, 0)),
        ("unstuff", receive),
    ):
        assert allocated(call) == 0, name


# --- the viper kernels against the plain ones: every length, offsets, values of all kinds


def _twins():
    """The board's kernels and the plain ones: the same file, imported with the board's hidden."""
    if not VIPER:
        skip("the board's kernels are not on the path")
    if not TWINS:
        sys.modules["kernels"] = None
        del sys.modules["osgp.kernels"]
        import osgp.kernels as plain

        assert plain.crc16 is not kernels.crc16
        TWINS.extend((kernels, plain))
    return TWINS


TWINS = []


def _both(name: str, *arguments):
    """Calls a kernel and its twin on copies; both must return and leave the same."""
    outcomes = []
    for module in _twins():
        copies = [bytearray(x) if isinstance(x, bytearray) else x for x in arguments]
        outcomes.append((getattr(module, name)(*copies), copies))
    assert outcomes[0] == outcomes[1], (name, arguments)
    return outcomes[0]


def test_twin_crc16_and_equal():
    data = noise(300, 3)
    for n in range(301):
        _both("crc16", data, 0, n)
        _both("crc16", data, 300 - n, 300)
        _both("equal", data, 0, data, 300 - n, n)
        _both("equal", data, 0, bytearray(data), 0, n)


def test_twin_digest():
    data = noise(400, 5)
    for size, block in ((6, 48), (12, 144), (16, 192)):
        for n in range(400):
            key = bytes(noise(size, n))
            pos, buffers = _both("digest", noise(8, n), key, n % block, data, 0, n)
            assert pos == (n % block + n) % block
            _both("digest_pad", buffers[0], key, pos)


def test_twin_rc4():
    for n in range(1, 260):
        _, buffers = _both("rc4_key", bytearray(258), bytes(noise(n, n)))
        _, buffers = _both("rc4", buffers[0], noise(n, n), 0, n)
        _both("rc4", buffers[0], buffers[1], n // 3, n)


def test_twin_copy_and_fill():
    data = noise(300, 9)
    for n in range(256):
        _both("copy", bytearray(300), n // 7, data, n % 40, n % 40 + n)
        _both("copy", data, n // 9, data, n // 6, n // 6 + n)
        _both("copy", data, 40, data, n % 40, n % 40 + n)
        _both("fill", data, 300 - n, 300, n)
        _both("xor", noise(300, n), n // 7, data, n % 40, n % 40 + n)


def test_twin_stuff_and_unstuff():
    for n in range(251):
        text = message(n, n)
        end, buffers = _both("stuff", text, 0, n + 1, bytearray(510), n % 5)
        stuffed = buffers[3]
        for step in (510, 11, 1):
            a, out, st = n % 5, bytearray(252), bytearray(b"\x00\xff\x00\x00\x00\x00\x00\x00")
            while a < end:
                a, buffers = _both("unstuff", stuffed, a, min(a + step, end), out, st)
                out, st = buffers[3], buffers[4]


def test_twin_unstuff_of_noise():
    for seed in range(300):
        data = noise(60, seed)
        for i in range(0, 60, 4):
            data[i] = (0x7E, 0x02, data[i], 0x10)[i // 4 % 4]
        a, out, st = seed % 50, bytearray(252), bytearray(b"\x00\xff\x00\x00\x00\x00\x00\x00")
        st[0] = seed & 1
        _both("unstuff", data, a, 60, out, st)

"""OMA digest and authentication: the published requests and responses, and captured challenges."""

from osgp import kernels
from osgp.security.digest import authentication, oma_digest
from support import noise, unhex

PLC_KEY = b"\xdf" * 12
MEP_KEY = b"\x01" * 16

PUBLISHED = (  # (key, message, digest)
    (PLC_KEY, "02020030 00037F30EA6D 0000000D 0020980031C30008000000000011", "DBE5CDE507B1CB3D"),
    (MEP_KEY, "3F0017000000002C01020304", "74861F6D7658DD56"),
    (MEP_KEY, "3F0017000000002C77635B91", "13DB85A135A0575E"),
    (MEP_KEY, "4F083200001E00010177636E2F", "86E50E2667D1E63C"),
    (
        MEP_KEY,
        "4F083400000000434300000100 08003F080B000000000A 08003F0014000000000A 08003F0015000000000A"
        "08003F08040000370001 08003F080E000000000C 08003F080F000000001F 0100 5B4E42E6",
        "ED6A9CEFF4CC0E39",
    ),
    (MEP_KEY, "3F083500000000055B4E42E7", "489775DAD853E3A3"),
    (MEP_KEY, "3F0835000000006F5B4E42E8", "1B3204497445A87A"),
    (MEP_KEY, "400007000611080700F8035B4E4309", "697AB201497E9CF7"),
)

ANSWERS = (  # (request, response, digest of the response, which goes on from the request)
    ("3F0017000000002C01020304", "0C77635B90", "35863C1DF5B91482"),
    (
        "3F0017000000002C77635B91",
        "00002C" + "00" * 16 + "08000000 03000000" + "00" * 16 + "06000000",
        "ADDCB82C3D417F91",
    ),
    ("3F083500000000055B4E42E7", "0000056F00010100", "974B99CAA3314519"),
    (
        "3F0835000000006F5B4E42E8",
        "00006F 6F00010100 0D0000000A05422405060502 0103F9 0D0000000A3F0EFD0F08100104081A"
        "0D0000000A3F0E0C0F08000104081A 040000000104 0F0000000C000000000011010001042F00 220000001F"
        "00420001000201 4500010002 01480001000201 0300F80302 014B0001000201 0100",
        "BFD4EBF2B7E01F43",
    ),
    # A one-octet response 00 reads like the padding: the digest is the request's.
    ("4F083200001E00010177636E2F", "00", "86E50E2667D1E63C"),
    (
        "4F083400000000434300000100 08003F080B000000000A 08003F0014000000000A 08003F0015000000000A"
        "08003F08040000370001 08003F080E000000000C 08003F080F000000001F 0100 5B4E42E6",
        "00",
        "ED6A9CEFF4CC0E39",
    ),
    ("400007000611080700F8035B4E4309", "00", "697AB201497E9CF7"),
)

RANDOM = unhex("0011223344556677")
APDU = unhex("4101020304")
CLASSIC_KEY = unhex("0102030405AA")
OMA_KEY = unhex("0102030405AA 1112131415BB")


def test_published_requests():
    for key, message, expected in PUBLISHED:
        assert oma_digest(key, unhex(message)) == unhex(expected), message


def test_published_responses_continue_the_unpadded_state():
    for request, response, expected in ANSWERS:
        state = bytearray(8)
        pos = 0
        for part in (unhex(request), unhex(response)):
            pos = kernels.digest(state, MEP_KEY, pos, part, 0, len(part))
        assert kernels.digest_pad(state, MEP_KEY, pos) == 0
        assert state == unhex(expected), response


def test_a_full_block_is_not_padded():
    for size, block in ((6, 48), (12, 144), (16, 192)):
        key = bytes(noise(size, size))
        text = noise(block, 7)
        state = bytearray(8)
        assert kernels.digest(state, key, 0, text, 0, block) == 0
        before = bytes(state)
        assert kernels.digest_pad(state, key, 0) == 0
        assert state == before == oma_digest(key, text)
        # One octet less is the same message with a zero at its end; one more takes a second block.
        text[block - 1] = 0
        assert oma_digest(key, text) == oma_digest(key, text[:-1])
        assert oma_digest(key, text + b"\x00") != oma_digest(key, text)


def test_authentication_classic():
    assert authentication(CLASSIC_KEY, RANDOM, APDU) == unhex("8D32733E9B8F4F36")


def test_authentication_oma_subnet_node():
    address = unhex("C0FFEE000000 03 05 09")
    assert authentication(OMA_KEY, RANDOM, address + APDU) == unhex("B697AC656464EBD8")


def test_authentication_oma_unique_id():
    address = unhex("040000112233 FFFFFF")
    assert authentication(OMA_KEY, RANDOM, address + APDU) == unhex("BA2BE5DA6AC8624B")


def test_authentication_from_zero_is_the_digest_backwards():
    message = unhex(PUBLISHED[0][1])
    assert authentication(PLC_KEY, bytes(8), bytes(reversed(message))) == unhex(PUBLISHED[0][2])


def test_one_bit_changes_the_digest():
    message = bytearray(unhex(PUBLISHED[0][1]))
    expected = oma_digest(PLC_KEY, message)
    for bit in range(8 * len(message)):
        message[bit >> 3] ^= 1 << (bit & 7)
        assert oma_digest(PLC_KEY, message) != expected, bit
        message[bit >> 3] ^= 1 << (bit & 7)


try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

if given:

    def _definition(key: bytes, message: bytes) -> bytes:
        """reference/osgp.md 2.1, word for word."""
        rounds = len(key) if len(key) == 6 else len(key) * 3 // 2
        state, pos = [0] * 8, 0
        rest = list(message)
        while rest or pos:
            octet = rest.pop(0) if rest else 0
            v = 7 - (pos & 7)
            n = ~(state[v] + v) & 0xFF
            if key[(pos >> 3) % len(key)] >> (pos & 7) & 1:
                r = (n << 1 | n >> 7) & 0xFF
            else:
                r = -(n >> 1 | n << 7 & 0x80) & 0xFF
            state[v] = (state[(v + 1) & 7] + octet + r) & 0xFF
            pos = (pos + 1) % (8 * rounds)
        return bytes(state)

    keys = st.sampled_from((6, 12, 16)).flatmap(lambda n: st.binary(min_size=n, max_size=n))

    @given(keys, st.binary(max_size=400))
    def test_any_message_as_defined(key, message):
        assert oma_digest(key, message) == _definition(key, message)

    @given(st.binary(max_size=300), st.integers(0, 300))
    def test_fed_in_two_pieces(message, cut):
        cut = min(cut, len(message))
        state = bytearray(8)
        pos = kernels.digest(state, PLC_KEY, 0, message, 0, cut)
        pos = kernels.digest(state, PLC_KEY, pos, message, cut, len(message))
        kernels.digest_pad(state, PLC_KEY, pos)
        assert state == oma_digest(PLC_KEY, message)

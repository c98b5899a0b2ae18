"""Signatures of images are good as they were made, and not with anything else in any place."""

import signature
import signature_vectors as vectors
from signature_vectors import MESSAGE
from support import noise, unhex

ONE_LEVEL = b"\0\0\0\1"
SIGNED_BY_IT = b"\0\0\0\0"
TALL_PATH = bytes(noise(640))

RFC_KEY = ONE_LEVEL + unhex(vectors.RFC_KEY)
RFC_MESSAGE = unhex(vectors.RFC_MESSAGE)
RFC_SIGNATURE = SIGNED_BY_IT + unhex(vectors.RFC_SIGNATURE)
KEY = unhex(vectors.PYHSSLMS_KEY)
SIGNATURE = unhex(vectors.PYHSSLMS_SIGNATURE)

MOST_A_STEP = 46  # SHA-256 of chains: what has been measured on a Pico at below 8 ms
NO_BUFFERS = (None, 7, -1, 1.5, "text", [1, 2], (), {}, object(), True)


def flipped(content: bytes, place: int, bit: int = 1) -> bytes:
    out = bytearray(content)
    out[place] ^= bit
    return bytes(out)


def with_at(content: bytes, place: int, other: bytes) -> bytes:
    return content[:place] + other + content[place + len(other) :]


def test_rfc_8554():
    assert signature.check(RFC_KEY, RFC_MESSAGE, RFC_SIGNATURE)
    assert not signature.check(RFC_KEY, MESSAGE, RFC_SIGNATURE)


def test_what_two_libraries_made():
    assert signature.check(KEY, MESSAGE, SIGNATURE)
    assert signature.check(unhex(vectors.HSSLMS_KEY), MESSAGE, unhex(vectors.HSSLMS_SIGNATURE))


def test_a_tree_of_20_levels():
    key, made = unhex(vectors.TALL_KEY), unhex(vectors.TALL_SIGNATURE) + TALL_PATH
    assert signature.check(key, MESSAGE, made)
    for place in (len(made) - 1, 2192, 7, 5):
        assert not signature.check(key, MESSAGE, flipped(made, place))


def test_any_buffer():
    for kind in (bytes, bytearray, memoryview):
        assert signature.check(kind(KEY), kind(MESSAGE), kind(SIGNATURE))
        assert not signature.check(kind(KEY), kind(MESSAGE), kind(flipped(SIGNATURE, 100)))


def test_every_octet_of_the_key():
    for place in range(60):
        for bit in (1, 0x80):
            assert not signature.check(flipped(KEY, place, bit), MESSAGE, SIGNATURE), place


def test_every_octet_of_the_message():
    for place in range(len(MESSAGE)):
        assert not signature.check(KEY, flipped(MESSAGE, place), SIGNATURE), place
    for other in (b"", MESSAGE[:-1], MESSAGE + b"\0", MESSAGE[1:], MESSAGE * 2):
        assert not signature.check(KEY, other, SIGNATURE)


def test_every_octet_of_the_fields_of_a_signature():
    fields = list(range(4, 44)) + list(range(2188, 2192))  # q, type, C, type
    for place in list(range(4)) + fields:
        for bit in (1, 0x80):
            assert not signature.check(KEY, MESSAGE, flipped(SIGNATURE, place, bit)), place


def test_every_value_of_a_signature():
    for value in list(range(44, 2188, 32)) + list(range(2192, len(SIGNATURE), 32)):
        for place in (value, value + 31):
            assert not signature.check(KEY, MESSAGE, flipped(SIGNATURE, place)), place


def test_values_in_another_order():
    for a, b in ((44, 76), (44, 2156), (2192, 2224), (2192, 2320)):
        one, other = SIGNATURE[a : a + 32], SIGNATURE[b : b + 32]
        swapped = with_at(with_at(SIGNATURE, a, other), b, one)
        assert not signature.check(KEY, MESSAGE, swapped)


def test_a_leaf_beyond_the_tree():
    q = int.from_bytes(SIGNATURE[4:8], "big")
    for other in (q + 32, q + 64, q | 1 << 31, q | 1 << 24):
        beyond = with_at(SIGNATURE, 4, other.to_bytes(4, "big"))
        assert not signature.check(KEY, MESSAGE, beyond)


def test_every_other_length():
    for n in list(range(100)) + list(range(2180, 2200)) + [len(SIGNATURE) - 32]:
        assert not signature.check(KEY, MESSAGE, SIGNATURE[:n]), n
    for n in (-1, 1, 4, 32, 64):
        of_other_length = SIGNATURE[:n] if n < 0 else SIGNATURE + bytes(n)
        assert not signature.check(KEY, MESSAGE, of_other_length)
    assert not signature.check(KEY, MESSAGE, SIGNATURE + SIGNATURE)
    assert not signature.check(KEY, MESSAGE, SIGNED_BY_IT + SIGNATURE)
    for n in range(60):
        assert not signature.check(KEY[:n], MESSAGE, SIGNATURE), n
    assert not signature.check(KEY + b"\0", MESSAGE, SIGNATURE)


def test_of_another_key():
    other = unhex(vectors.HSSLMS_KEY)
    assert not signature.check(other, MESSAGE, SIGNATURE)
    assert not signature.check(KEY, MESSAGE, unhex(vectors.HSSLMS_SIGNATURE))
    assert not signature.check(RFC_KEY, RFC_MESSAGE, SIGNATURE)


def test_blank_flash():
    for octet in (b"\xff", b"\0"):
        assert not signature.check(octet * 60, octet * 76, octet * 2352)
        assert not signature.check(KEY, MESSAGE, octet * len(SIGNATURE))
        assert signature.size(octet * 60) == 0


def test_other_types():
    for nothing in NO_BUFFERS:
        assert not signature.check(nothing, MESSAGE, SIGNATURE)
        assert not signature.check(KEY, nothing, SIGNATURE)
        assert not signature.check(KEY, MESSAGE, nothing)
        assert signature.size(nothing) == 0


def test_size():
    sizes = {5: 2352, 6: 2512, 7: 2672, 8: 2832}
    assert len(SIGNATURE) == sizes[5]
    for kind in range(256):
        key = with_at(KEY, 4, bytes((0, 0, 0, kind)))
        assert signature.size(key) == sizes.get(kind, 0)


def test_keys_of_another_kind():
    for ots_type in (0, 1, 2, 4, 7, 11, 0x103):
        key = with_at(KEY, 8, ots_type.to_bytes(4, "big"))
        assert signature.size(key) == 0
        assert not signature.check(key, MESSAGE, SIGNATURE)
    for levels in (0, 2, 8):
        assert signature.size(with_at(KEY, 0, levels.to_bytes(4, "big"))) == 0


def test_in_slices():
    verifier = signature.Verifier(KEY, MESSAGE, SIGNATURE)
    steps = 1
    while verifier.step():
        assert not verifier.good
        steps += 1
    assert verifier.good
    assert 8 <= steps <= 33  # 240 to 990 SHA-256
    assert not verifier.step()
    assert verifier.good


def test_no_step_is_long():
    """Counted: every SHA-256 of the module."""
    made = []
    digest = signature.sha256

    def counted(content):
        made.append(1)
        return digest(content)

    signature.sha256 = counted
    try:
        for k in range(20):  # any C: the chains are as long as it wants, and it is not good
            verifier = signature.Verifier(KEY, MESSAGE, flipped(SIGNATURE, 12, k + 1))
            more = True
            while more:
                before = len(made)
                more = verifier.step()
                of_path = 0 if more else 6
                assert len(made) - before <= MOST_A_STEP + of_path
    finally:
        signature.sha256 = digest


def test_what_is_malformed_takes_no_time():
    for verifier in (
        signature.Verifier(KEY, MESSAGE, SIGNATURE[:-1]),
        signature.Verifier(None, MESSAGE, SIGNATURE),
        signature.Verifier(KEY, MESSAGE, flipped(SIGNATURE, 0)),
    ):
        assert not verifier.step()
        assert not verifier.good


try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

if given:
    PLACES = st.lists(st.tuples(st.integers(0, 59), st.integers(0, 255)), max_size=3)

    @given(PLACES, st.binary(max_size=80), st.integers(0, 2352), st.binary(max_size=40))
    def test_nothing_is_good_but_what_was_signed(key_changes, message, at, octets):
        key = bytearray(KEY)
        for place, octet in key_changes:
            key[place] = octet
        changed = with_at(SIGNATURE, at, octets)
        same = (bytes(key), message, changed) == (KEY, MESSAGE, SIGNATURE)
        assert signature.check(bytes(key), message, changed) == same
        same = (bytes(key), changed) == (KEY, SIGNATURE)
        assert signature.check(bytes(key), MESSAGE, changed) == same

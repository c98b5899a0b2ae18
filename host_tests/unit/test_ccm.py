"""CMAC and CCM: the examples of SP 800-38B, SP 800-38C and RFC 3610, and `cryptography`."""

from osgp.security import ccm
from support import aes, noise, unhex

# SP 800-38B, D.1 (AES-128): 40 octets as first printed, 20 in NIST's present example file
CMAC_KEY = unhex("2B7E151628AED2A6ABF7158809CF4F3C")
CMAC_TEXT = unhex(
    "6BC1BEE22E409F96E93D7E117393172A AE2D8A571E03AC9C9EB76FAC45AF8E51"
    "30C81C46A35CE411E5FBC1191A0A52EF F69F2445DF4F9B17AD2B417BE66C3710"
)
CMACS = (
    (0, "BB1D6929E95937287FA37D129B756746"),
    (16, "070A16B46B4D4144F79BDD9DD04A287C"),
    (20, "7D85449EA6EA19C823A7BF78837DFADE"),
    (40, "DFA66747DE9AE63030CA32611497C827"),
    (64, "51F0BEBF7E3B9D92FC49741779363CFE"),
)

NIST_KEY = "404142434445464748494A4B4C4D4E4F"
RFC_KEY = "C0C1C2C3C4C5C6C7C8C9CACBCCCDCECF"
CCMS = (  # (key, nonce, aad, text, tag length, sealed)
    # SP 800-38C, C.1 to C.3
    (NIST_KEY, "10111213141516", "0001020304050607", "20212223", 4, "7162015B4DAC255D"),
    (
        NIST_KEY,
        "1011121314151617",
        "000102030405060708090A0B0C0D0E0F",
        "202122232425262728292A2B2C2D2E2F",
        6,
        "D2A1F0E051EA5F62081A7792073D593D1FC64FBFACCD",
    ),
    (
        NIST_KEY,
        "101112131415161718191A1B",
        "000102030405060708090A0B0C0D0E0F10111213",
        "202122232425262728292A2B2C2D2E2F3031323334353637",
        8,
        "E3B201A9F5B71A7A9B1CEAECCD97E70B6176AAD9A4428AA5484392FBC1B09951",
    ),
    # RFC 3610, 8, packet vectors 1 and 2: the nonce of 13 octets that this project uses
    (
        RFC_KEY,
        "00000003020100A0A1A2A3A4A5",
        "0001020304050607",
        "08090A0B0C0D0E0F101112131415161718191A1B1C1D1E",
        8,
        "588C979A61C663D2F066D0C2C0F989806D5F6B61DAC38417E8D12CFDF926E0",
    ),
    (
        RFC_KEY,
        "00000004030201A0A1A2A3A4A5",
        "0001020304050607",
        "08090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        8,
        "72C91A36E135F8CF291CA894085C87E3CC15C439C9E43A3BA091D56E10400916",
    ),
)

NONCE = bytes(13)


def test_aes_of_the_tests_is_aes():
    cipher = aes(unhex("000102030405060708090A0B0C0D0E0F"))
    block = unhex("00112233445566778899AABBCCDDEEFF")
    assert cipher(block) == unhex("69C4E0D86A7B0430D8CDB78070B4C55A")  # FIPS 197, C.1


def test_cmac_examples():
    for length, expected in CMACS:
        assert ccm.cmac(aes(CMAC_KEY), CMAC_TEXT[:length]) == unhex(expected), length


def test_ccm_examples():
    for key, nonce, aad, text, tag_len, sealed in CCMS:
        cipher = aes(unhex(key))
        nonce, aad, text, sealed = unhex(nonce), unhex(aad), unhex(text), unhex(sealed)
        assert ccm.seal(cipher, nonce, aad, text, tag_len) == sealed
        assert ccm.open_(cipher, nonce, aad, sealed, tag_len) == text


def test_empty_text_and_empty_aad():
    cipher = aes(CMAC_KEY)
    only_tag = ccm.seal(cipher, NONCE, b"aad", b"", 8)
    assert len(only_tag) == 8
    assert ccm.open_(cipher, NONCE, b"aad", only_tag, 8) == b""
    assert ccm.open_(cipher, NONCE, b"", only_tag, 8) is None
    assert ccm.open_(cipher, NONCE, b"", ccm.seal(cipher, NONCE, b"", b"text", 8), 8) == b"text"


def test_every_changed_bit_is_refused():
    cipher = aes(CMAC_KEY)
    sealed = bytearray(ccm.seal(cipher, NONCE, b"aad", b"seventeen octets.", 8))
    for bit in range(8 * len(sealed)):
        sealed[bit >> 3] ^= 1 << (bit & 7)
        assert ccm.open_(cipher, NONCE, b"aad", sealed, 8) is None, bit
        sealed[bit >> 3] ^= 1 << (bit & 7)
    assert ccm.open_(cipher, NONCE, b"aae", sealed, 8) is None
    assert ccm.open_(cipher, b"\x01" + NONCE[1:], b"aad", sealed, 8) is None
    assert ccm.open_(aes(bytes(16)), NONCE, b"aad", sealed, 8) is None
    assert ccm.open_(cipher, NONCE, b"aad", sealed, 8) == b"seventeen octets."


def test_shorter_than_its_tag_is_refused():
    cipher = aes(CMAC_KEY)
    sealed = ccm.seal(cipher, NONCE, b"", b"x", 8)
    for length in range(len(sealed)):
        assert ccm.open_(cipher, NONCE, b"", sealed[:length], 8) is None, length


def test_buffers_of_any_kind():
    cipher = aes(CMAC_KEY)
    text = noise(40)
    expected = ccm.seal(cipher, NONCE, b"aad", bytes(text), 8)
    assert ccm.seal(cipher, bytearray(13), memoryview(b"aad"), memoryview(text), 8) == expected
    assert ccm.open_(cipher, bytearray(13), bytearray(b"aad"), memoryview(expected), 8) == text
    assert ccm.cmac(cipher, memoryview(text)) == ccm.cmac(cipher, bytes(text))


try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

if given:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.cmac import CMAC

    keys = st.binary(min_size=16, max_size=16)

    @given(keys, st.binary(max_size=80))
    def test_any_cmac(key, message):
        theirs = CMAC(AES(key))
        theirs.update(message)
        assert ccm.cmac(aes(key), message) == theirs.finalize()

    @given(
        keys,
        st.binary(min_size=7, max_size=13),
        st.binary(max_size=40),
        st.binary(max_size=80),
        st.sampled_from((4, 6, 8, 10, 12, 14, 16)),
    )
    def test_any_ccm(key, nonce, aad, text, tag_len):
        sealed = AESCCM(key, tag_len).encrypt(nonce, text, aad)
        assert ccm.seal(aes(key), nonce, aad, text, tag_len) == sealed
        assert ccm.open_(aes(key), nonce, aad, sealed, tag_len) == text

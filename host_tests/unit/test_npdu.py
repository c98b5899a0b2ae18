"""Frames: what is sound, what is for this node, the header of an answer (`lon.md` 1 to 3)."""

from lon_support import UID, lpdu
from osgp.lon import npdu as layer
from osgp.lon.npdu import FLEXIBLE, Npdu
from osgp.membership import Domain
from support import noise, unhex

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None


# member 1 of group 2A, and of group 2B in the discovery domain (7); 8 is no group
ADDRESSES = unhex("83 01 00 40 2A  90 87 00 80 2B  01 08 00 00 08  0000000000")


def domain(text: str, subnet: int, node: int):
    entry = Domain()
    entry.used = True
    octets = unhex(text)
    entry.length = len(octets)
    entry.id[: len(octets)] = octets
    entry.subnet = subnet
    entry.node = node
    return entry


def node(configured=True):
    """5/9 in domain C0FFEE, and the discovery domain."""
    it = Npdu((domain("C0FFEE", 5, 9), domain("4F5347500000", 0, 0)), ADDRESSES, UID)
    it.configured = configured
    return it


def parses(it, frame: str) -> bool:
    octets = b"\x00" + lpdu(frame)
    return it.parse(octets, 1, len(octets))


def test_captured_frames_with_their_crc():
    for text, ours in (
        ("01 10 01 85 00 03 61 00 9B05", True),
        ("00 1C 01 85 00 040000112233 0C 63 00 C0FFEE000000 05 89 03 0102030405AA B7CA", True),
        ("00 1C 01 85 00 040000112233 0D 6C 03 04 3C66", True),
        ("00 0A 01 85 05 89 C0FFEE 04 6C 01 5602", False),  # 5/9 is not configured yet
        ("00 18 00 80 01 85 2C 23 B953", False),
    ):
        octets = unhex(text)
        it = node(configured=False)
        assert it.parse(octets, 0, len(octets)) == ours, text
        assert it.crc_errors == 0


def test_the_example():
    it = node()
    octets = unhex("00 1A 01 85 05 89 C0FFEE 07 51 80B6")
    assert it.parse(octets, 0, len(octets))
    assert (it.pdu, it.format, it.domain) == (layer.SPDU, layer.SUBNET_NODE, 0)
    assert (it.source_subnet, it.source_node) == (1, 5)
    assert octets[it.body : it.end] == unhex("07 51")
    out = bytearray(16)
    n = it.answer_header(octets, out)
    assert out[:n] == unhex("00 1A 05 89 01 85 C0FFEE")


def test_every_flipped_bit_is_a_crc_error():
    octets = bytearray(unhex("00 1A 01 85 05 89 C0FFEE 07 51 80B6"))
    it = node()
    for bit in range(8 * len(octets)):
        octets[bit >> 3] ^= 1 << (bit & 7)
        assert not it.parse(octets, 0, len(octets))
        octets[bit >> 3] ^= 1 << (bit & 7)
    assert it.crc_errors == 8 * len(octets)


def test_what_is_too_short_counts_as_a_crc_error():
    it = node(configured=False)
    for n in range(6):
        assert not parses(it, "00 30 00 80 00"[: 3 * n])
    assert it.crc_errors == 6
    assert parses(it, "00 30 00 80 00 7F")  # the shortest there is
    assert not parses(it, "00 38 00 80 00 80")  # as long, but its PDU is missing
    assert (it.crc_errors, it.malformed) == (6, 1)


def test_cut_short_is_malformed():
    it = node(configured=False)
    whole = unhex("00 1F 01 85 00 040000112233 4F5347500000 04 51")
    for n in range(6, len(whole) - 1):
        octets = lpdu(whole[:n])
        assert not it.parse(octets, 0, len(octets)), n
    assert it.malformed + it.crc_errors == len(whole) - 7


def test_accept_filter_when_configured():
    for frame, ours in (
        ("00 12 01 85 00 C0FFEE 07 51", True),  # domain broadcast
        ("00 12 01 85 05 C0FFEE 07 51", True),  # our subnet
        ("00 12 01 85 06 C0FFEE 07 51", False),
        ("00 12 01 85 00 C0FFED 07 51", False),  # unknown domains
        ("00 10 01 85 00 07 51", False),
        ("00 11 01 85 00 C0 07 51", False),
        ("00 13 00 80 00 4F5347500000 07 51", True),  # discovery domain
        ("00 1A 01 85 05 89 C0FFEE 07 51", True),
        ("00 1A 01 85 05 8A C0FFEE 07 51", False),
        ("00 1A 01 85 06 89 C0FFEE 07 51", False),
        ("00 1A 01 85 05 89 C0FFED 07 51", False),
        ("00 1B 01 85 00 80 4F5347500000 07 51", False),  # nobody has an address there
        ("00 16 01 85 2A C0FFEE 07 51", True),  # groups
        ("00 16 01 85 07 C0FFEE 07 51", False),
        ("00 16 01 85 08 C0FFEE 07 51", False),  # another kind of entry
        ("00 16 01 85 2B C0FFEE 07 51", False),  # another domain
        ("00 17 01 85 2B 4F5347500000 07 51", True),
        ("00 16 05 89 2A C0FFEE 07 51", False),  # our own
        ("00 1A 01 05 05 89 07 01 C0FFEE 27 31", True),  # a group's member responds
        ("00 0A 01 05 05 89 07 01 C0FFEE 27", True),  # and acknowledges
        ("00 1A 01 05 05 89 07 01 C0FFEE 07 51", False),  # and asks: that is none of its
        ("00 3A 01 05 05 89 07 01 C0FFEE 27 51", False),
        ("00 1A 01 05 05 8A 07 01 C0FFEE 27 31", False),
        ("00 1A 01 05 05 89 07 01 C0", False),
        ("00 1E 01 85 00 040000112233 C0FFEE 07 51", True),
        ("00 1E 01 85 00 040000112233 BADBAD 07 51", True),  # by unique id: any domain
        ("00 1E 01 85 00 040000112234 C0FFEE 07 51", False),
        ("00 1A 05 89 05 89 C0FFEE 07 51", False),  # our own, come back
        ("00 12 05 89 00 C0FFEE 07 51", False),
        ("00 9A 01 85 05 89 C0FFEE 07 51", False),  # version 2
    ):
        assert parses(node(), frame) == ours, frame


def test_accept_filter_when_unconfigured():
    for frame, ours in (
        ("00 12 01 85 00 C0FFEE 07 51", True),
        ("00 12 01 85 06 BADBAD 07 51", True),
        ("00 10 01 85 00 07 51", True),
        ("00 1A 01 85 05 89 C0FFEE 07 51", False),
        ("00 16 01 85 2A C0FFEE 07 51", False),
        ("00 1A 01 05 05 89 07 01 C0FFEE 27 31", False),
        ("00 1C 01 85 00 040000112233 07 51", True),
        ("00 1C 01 85 00 050000112233 07 51", False),
    ):
        assert parses(node(configured=False), frame) == ours, frame


def test_unused_entries_are_no_domains():
    it = node()
    it.domains[0].used = False
    assert not parses(it, "00 1A 01 85 05 89 C0FFEE 07 51")
    assert it.domain == FLEXIBLE


def test_a_domain_of_length_0():
    it = Npdu((domain("", 5, 9), domain("4F5347500000", 0, 0)), ADDRESSES, UID)
    it.configured = True
    assert parses(it, "00 18 01 85 05 89 07 51") and it.domain == 0
    assert not parses(it, "00 19 01 85 05 89 00 07 51")


def test_answers_go_back_the_way_the_request_came():
    for frame, configured, header in (
        ("C1 1A 01 85 05 89 C0FFEE 07 51", True, "C0 1A 05 89 01 85 C0FFEE"),
        ("45 12 01 85 00 C0FFEE 07 51", True, "40 1A 05 89 01 85 C0FFEE"),
        ("00 1E 01 85 00 040000112233 BADBAD 07 51", True, "00 1A 00 80 01 85 BADBAD"),
        ("00 1E 01 85 00 040000112233 C0FFEE 07 51", False, "00 1A 00 80 01 85 C0FFEE"),
        ("00 13 00 80 00 4F5347500000 07 51", True, "00 1B 00 80 00 80 4F5347500000"),
        ("00 1C 01 85 00 040000112233 0C 63", False, "00 18 00 80 01 85"),
        ("00 0A 01 85 05 89 C0FFEE 04 6C 01", True, "00 0A 05 89 01 85 C0FFEE"),
        ("81 06 01 85 2A C0FFEE 01 6C 01", True, "80 0A 05 09 01 85 2A 01 C0FFEE"),
    ):
        it = node(configured)
        octets = lpdu(frame)
        assert it.parse(octets, 0, len(octets)), frame
        out = bytearray(16)
        n = it.answer_header(octets, out)
        assert out[:n] == unhex(header), frame


def test_what_a_group_message_says():
    it = node()
    assert parses(it, "00 16 01 85 2A C0FFEE 07 51")
    assert (it.format, it.destination, it.member, it.timer) == (layer.GROUP, 0x2A, 1, 4)
    assert parses(it, "00 1A 02 06 05 89 07 03 C0FFEE 27 31")
    assert (it.format, it.destination, it.member) == (layer.MEMBER, 7, 3)
    assert (it.source_subnet, it.source_node) == (2, 6)


def test_of_two_entries_the_longest_timer_holds():
    it = node()
    for first, second in ("40", "90"), ("90", "40"):
        it.addresses = unhex("82 05 00" + first + "2A 82 05 00" + second + "2A")
        assert parses(it, "00 16 01 85 2A C0FFEE 07 51") and (it.member, it.timer) == (5, 9)


def test_a_crc_that_somebody_has_checked_is_not_checked_again():
    it = node()
    octets = unhex("00 1A 01 85 05 89 C0FFEE 07 51 0000")
    assert it.parse(octets, 0, len(octets), True)
    assert not it.parse(octets, 0, len(octets))
    assert not it.parse(octets, 0, 7, True) and it.crc_errors == 2


def test_a_unique_id_that_becomes_known_later_counts():
    uid = bytearray(6)
    it = Npdu((Domain(), Domain()), b"", uid)
    assert not parses(it, "00 1C 01 85 00 040000112233 07 51")
    uid[:] = UID
    assert parses(it, "00 1C 01 85 00 040000112233 07 51")


def test_noise_with_a_good_crc():
    for seed in range(300):
        octets = lpdu(noise(seed % 40, seed))
        for configured in (True, False):
            it = node(configured)
            if it.parse(octets, 0, len(octets)):
                assert it.body < it.end <= len(octets) - 2


if given:

    @given(st.binary(max_size=40), st.booleans())
    def test_no_frame_raises(body, configured):
        octets = lpdu(body)
        it = node(configured)
        if it.parse(octets, 0, len(octets)):
            assert it.body < it.end == len(octets) - 2
            assert it.answer_header(octets, bytearray(16)) <= 14

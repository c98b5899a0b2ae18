"""Network management and diagnostics (`lon.md` 3, `profile.md` 17)."""

from lon_support import UID
from node_support import Bench
from osgp.lon.management import PROGRAM_ID
from osgp.membership import CONFIGURED, HARD_OFFLINE, UNCONFIGURED
from support import unhex

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

IDENTITY = b"\x21" + UID + PROGRAM_ID
STATES = (UNCONFIGURED, 3, CONFIGURED, HARD_OFFLINE)

# profile 17, each well-formed, and the failure code that answers it
CONFIGURING = (
    ("63 00 C0FFEE000000 05 89 03 0102030405AA", "03"),
    ("64 00", "04"),
    ("65 00 010203040506", "05"),
    ("66 00 0000000000", "06"),
    ("67 00", "07"),
    ("69 8000000000", "09"),
    ("6A 00", "0A"),
    ("6C 00", "0C"),
    ("6C 01", "0C"),
    ("6C 02", "0C"),
    ("6C 03 02", "0C"),
    ("6C 03 04", "0C"),
    ("6C 06", "0C"),
    ("6D 00 00 00 01", "0D"),
    ("6D 02 00 00 01", "0D"),
    ("6E 00 00 00 01 00 55", "0E"),
    ("60 02 00 00 00 00 00", "00 02"),
    ("60 07 00 C0FFEE000000 05 89 03", "00 07"),
    ("60 08 00", "00 08"),
    ("60 09", "00 09"),
    ("60 0A 00 000102030405060708090A0B", "00 0A"),
    ("60 0B", "00 0B"),
    ("60 0C", "00 0C"),
    ("60 0D", "00 0D"),
    ("60 0E", "00 0E"),
    ("60 0F", "00 0F"),
)


class Asking:
    """A bench that gives each request a number of its own."""

    def __init__(self, open_nm=False, state=CONFIGURED):
        self.bench = Bench(open_nm, state)
        self.number = 0

    def __call__(self, text):
        self.number = self.number % 15 + 1
        return self.bench.ask(unhex(text), self.number)


def test_with_an_installation_key_nothing_configures_in_any_state():
    for state in STATES:
        ask = Asking(state=state)
        before = bytes(ask.bench.member.image)
        for request, answer in CONFIGURING:
            assert ask(request) == unhex(answer), (state, request)
        assert bytes(ask.bench.member.image) == before
        assert ask.bench.resets == 0 and ask.bench.node.management.online


def test_what_stays_open_in_every_state():
    for state in STATES:
        ask = Asking(state=state)
        assert (ask("61 00") == IDENTITY) == (state == UNCONFIGURED)
        assert ask("62 01") == b"\x22"
        assert ask("61 01") == IDENTITY
        assert (ask("61 02") == IDENTITY) == (state == UNCONFIGURED)
        assert ask("62 00") == b"\x22"
        assert ask("61 01") is None
        assert ask("51")[0] == 0x31 and ask("51")[12] == state
        assert ask("6D 01 00 00 06") == b"\x2d" + UID
        assert ask("60 01") == unhex("20 01 02 00 0F")
        assert ask("6F 01") == ask("6F 04") == b"\x2f"
        assert ask("52 00") == (b"\x32" + IDENTITY[1:] if state == UNCONFIGURED else None)
        assert ask("70") is None


def test_query_id_with_a_memory_match():
    ask = Asking(state=UNCONFIGURED)
    program = "".join(f"{octet:02X}" for octet in PROGRAM_ID)
    for match, answered in (
        ("01 00 0D 08" + program, True),
        ("01 00 0D 02" + program[:4], True),
        ("01 00 0D 02" + program[:2] + "00", False),
        ("01 00 00 06 040000112233", True),
        ("01 00 00 06 040000112234", False),
        ("01 00 00 00", True),
        ("01 00 14 02 0000", False),  # beyond the area
        ("01 FF FF 01 00", False),
        ("00 00 00 01 04", False),  # another memory
    ):
        assert ask("61 00" + match) == (IDENTITY if answered else None), match


def test_query_status():
    ask = Asking()
    bench = ask.bench
    assert ask("51") == unhex("31 0000 0000 0000 0000 0000 01 04 01 00 00")
    assert bench.hear("00 1A 01 85 05 89 C0FFEE 17 51") == []  # unsupported: a repeated request
    bench.octets(b"\x7e\x26\x31\x2b")  # the chip heard a bad frame
    transport = bench.node.transport
    transport.lost = 0x12345
    assert ask("51") == unhex("31 0001 0000 FFFF 0001 0000 01 04 01 00 00")
    assert ask("53") == b"\x33"
    assert ask("51") == unhex("31 0000 0000 0000 0000 0000 00 04 01 00 00")


def test_read_memory():
    ask = Asking()
    assert ask("6D 01 00 00 15") == b"\x2d" + UID + bytes(7) + PROGRAM_ID
    assert ask("6D 03 00 00 0A") == b"\x2d" + bytes(10)
    for request in ("01 00 00 16", "01 00 15 01", "01 00 00 00", "01 FF FF 02", "03 00 00 0B"):
        assert ask("6D" + request) == b"\x0d", request


def test_a_wrong_length_or_value_is_a_failure():
    ask = Asking(open_nm=True)
    before = bytes(ask.bench.member.image)
    for request, answer in (
        ("51 00", "11"),
        ("53 00", "13"),
        ("56 00", None),
        ("61", "01"),
        ("61 03", "01"),
        ("61 00 01", "01"),
        ("61 00 01 00 00 02 04", "01"),
        ("62", "02"),
        ("62 02", "02"),
        ("62 01 00", "02"),
        ("63", "03"),
        ("63 00 C0FFEE000000 05 89 03 0102030405", "03"),
        ("63 02 C0FFEE000000 05 89 03 0102030405AA", "03"),
        ("63 00 C0FFEE000000 05 89 83 0102030405AA", "03"),
        ("63 00 C0FFEE000000 05 89 02 0102030405AA", "03"),
        ("66 0F 0000000000", "06"),
        ("66 00 00000000", "06"),
        ("6C", "0C"),
        ("6C 03", "0C"),
        ("6C 03 05", "0C"),
        ("6C 04", "0C"),
        ("6C 01 00", "0C"),
        ("6D 01 00 00", "0D"),
        ("60", "00"),
        ("60 01 00", "00 01"),
        ("60 55", "00 55"),
        ("7D 01 01", "1D"),
        ("74", "14"),
        ("50", "10"),
        ("52", "12"),
        ("52 03", "12"),
        ("54", "14"),  # the transceiver has not told
        ("55", "15"),
        ("57", "17"),
        ("58 00 00", "18"),
        ("59 00", "19"),
        ("63 00 C0FFEE000000 05 89 43 0102030405AA", "03"),  # large-scale mode
        ("63 00 C0FFEE000000 05 89 13 0102030405AA", "03"),  # a kind of authentication
        ("64", "04"),
        ("64 01", "04"),  # the discovery domain stays
        ("64 02", "04"),
        ("64 00 00", "04"),
        ("65 00 0102030405", "05"),
        ("65 02 010203040506", "05"),
        ("67", "07"),
        ("67 0F", "07"),
        ("67 00 00", "07"),
        ("68 00", "08"),
        ("69 8302004000", "09"),  # to no group
        ("6A", "0A"),
        ("6A 02", "0A"),
        ("6A 00 00", "0A"),
        ("6B 00 0000", "0B"),
        ("6D 00 00 00 01", "0D"),
        ("6D 02 00 00 00", "0D"),
        ("6D 02 00 00 1A", "0D"),
        ("6E", "0E"),
        ("6E 02 00 00 01 00", "0E"),
        ("6E 02 00 00 02 00 55", "0E"),
        ("6E 02 00 00 00 00", "0E"),
        ("6E 02 00 00 01 02 55", "0E"),  # form
        ("6E 02 00 07 02 00 5555", "0E"),  # the chip's parameters
        ("6E 02 00 19 01 00 55", "0E"),
        ("6E 01 00 00 01 00 55", "0E"),
        ("6F", "0F"),
        ("6F 02", "0F"),
        ("6F 01 00", "0F"),
        ("70 01", "10"),
        ("70 00 00", "10"),
        ("71", "11"),
        ("72", "12"),
        ("73", "13"),
        ("7C", "1C"),
        ("7E", "1E"),
        ("60 02 00", "00 02"),
        ("60 07 00 C0FFEE000000 05 89", "00 07"),
        ("60 07 02 C0FFEE000000 05 89 03", "00 07"),
        ("60 07 00 C0FFEE000000 05 89 02", "00 07"),
        ("60 08", "00 08"),
        ("60 08 02", "00 08"),
        ("60 09", "00 09"),
        ("60 0A 00 0001020304050607080910", "00 0A"),
        ("60 0A 02 000102030405060708091011", "00 0A"),
        ("60 0B 00", "00 0B"),
        ("60 0F", "00 0F"),
        ("60 11", "00 11"),
    ):
        if answer:
            assert ask(request) == unhex(answer), request
    assert bytes(ask.bench.member.image) == before


def test_the_flexible_status_query_is_answered_from_nobody():
    bench = Bench()
    out = bench.hear("00 1A 01 85 05 89 C0FFEE 07 56")
    assert out[0][:11] == unhex("00 1A 00 80 01 85 C0FFEE 27 36")
    out = bench.hear("00 1A 01 85 05 89 C0FFEE 08 51")
    assert out[0][:11] == unhex("00 1A 05 89 01 85 C0FFEE 28 31")


def test_open_management_configures():
    ask = Asking(open_nm=True, state=UNCONFIGURED)
    bench = ask.bench
    assert ask("63 00 C0FFEE000000 07 8C 03 0102030405AA") == b"\x23"
    assert ask("66 0E 0102030405") == b"\x26"
    assert ask("6C 03 04") == b"\x2c"
    assert ask("51")[12] == 12  # soft offline until it is told to be online
    assert ask("6C 01") is None
    assert ask("51")[12] == 4
    assert bytes(bench.member.addresses[-5:]) == unhex("0102030405")
    assert bench.hear("00 1A 01 85 07 8C C0FFEE 07 51")[0][:6] == unhex("00 1A 07 8C 01 85")
    assert ask("6C 00") is None and ask("51")[12] == 12
    assert bench.resets == 0
    assert ask("6C 02") is None and ask("6C 06") is None
    assert bench.resets == 2


def test_a_change_that_cannot_be_kept_is_a_failure():
    ask = Asking(open_nm=True, state=UNCONFIGURED)
    ask.bench.settings.broken = True
    for request, answer in [CONFIGURING[k] for k in (0, 2, 3, 11)] + [
        ("60 07 00 C0FFEE000000 05 89 03", "00 07"),
        ("6E 02 00 00 01 00 55", "0E"),
    ]:
        assert ask(request) == unhex(answer), request
    assert ask("51")[12] == UNCONFIGURED and not ask.bench.member.domains[0].used


def test_a_hard_offline_node_keeps_its_address():
    bench = Bench(open_nm=True)
    bench.hear("00 1A 01 85 05 89 C0FFEE 07 6C 03 06")
    out = bench.hear("00 1A 01 85 05 89 C0FFEE 08 51")
    assert out[0][:6] == unhex("00 1A 05 89 01 85") and out[0][22] == HARD_OFFLINE


if given:

    @given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.booleans())
    def test_no_request_raises(apdus, open_nm):
        ask = Asking(open_nm, UNCONFIGURED)
        for apdu in apdus:
            ask(bytes((0x50 + apdu[0] % 0x30,)).hex() + apdu[1:].hex())

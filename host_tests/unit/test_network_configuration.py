"""Network management that configures, where the board opens it (`lon.md` 3)."""

from lon_support import ACK, lpdu, uplink
from node_support import AWAKE, Bench
from osgp.membership import CONFIG, CONFIGURED, KEYS, UNCONFIGURED, Membership
from osgp.security.digest import authentication
from support import unhex

KEY = "0102030405AA"
BY_ID = "00 1C 01 85 00 040000112233"
ADDRESSED = "00 1A 01 85 05 89 C0FFEE"


class Asking:
    """An open bench that gives each request a number of its own."""

    def __init__(self, state=CONFIGURED):
        self.bench = Bench(True, state)
        self.member = self.bench.member
        self.number = 0

    def __call__(self, text):
        self.number = self.number % 15 + 1
        return self.bench.ask(unhex(text), self.number)

    def kept(self):
        """What a restart would find."""
        return Membership(self.bench.settings)


def test_the_captured_commissioning_dialogue():
    bench = Bench(True, UNCONFIGURED)
    for request, answer in (
        (
            "00 1C 01 85 00 040000112233 0C 63 00 C0FFEE000000 05 89 03 0102030405AA",
            "00 18 00 80 01 85 2C 23",
        ),
        ("00 1C 01 85 00 040000112233 0D 6C 03 04", "00 18 00 80 01 85 2D 2C"),
        ("00 0A 01 85 05 89 C0FFEE 04 6C 01", "00 0A 05 89 01 85 C0FFEE 24"),
    ):
        assert bench.hear(request) == [unhex(answer)], request
    assert bench.member.image[KEYS : KEYS + 6] == unhex(KEY)
    assert bench.hear(ADDRESSED + "05 51")[0][22] == CONFIGURED


def test_both_domain_entries():
    ask = Asking()
    assert ask("63 00 C0FFEE000000 05 89 0B" + KEY) == b"\x23"  # authenticates by OMA
    assert ask("63 01 770000000000 07 8C 01 1112131415BB") == b"\x23"
    assert ask("6A 00") == unhex("2A C0FFEE000000 05 89 0B 000000000000")  # the key stays here
    assert ask("6A 01") == unhex("2A 770000000000 07 8C 01 000000000000")
    assert ask("60 08 00") == unhex("20 08 C0FFEE000000 05 89 0B")
    assert ask("60 08 01") == unhex("20 08 770000000000 07 8C 01")
    assert ask("60 09") == unhex("00 09")
    kept = ask.kept()
    assert kept.domains[0].length == 3 and kept.domains[1].node == 12
    assert kept.image[KEYS:] == unhex(KEY + "1112131415BB")
    out = ask.bench.hear("00 19 01 85 07 8C 77 09 51")
    assert out[0][:8] == unhex("00 19 07 8C 01 85 77 29")


def test_domains_of_every_length():
    for code, length in ((0, 0), (1, 1), (2, 3), (3, 6)):
        ask = Asking()
        domain = "C0FFEE123456"[: 2 * length]
        padded = domain + "00" * (6 - length)
        assert ask("66 00 8301408A2A") == b"\x26"
        assert ask("63 00" + padded + "05 89 %02X" % length + KEY) == b"\x23"
        acked = "%02X" % (0x08 | code)
        asked = "%02X" % (0x18 | code)
        for frame, answer in (
            (asked + "01850589" + domain + "0751", asked + "05890185" + domain + "2731"),
            ("1%X" % (0xC | code) + "018500 040000112233" + domain + "0851", "2831"),
            ("1%X" % code + "018505" + domain + "0951", "2931"),
            (
                "0%X" % (4 | code) + "01852A" + domain + "0A7F",
                acked + "050901852A01" + domain + "2A",
            ),
        ):
            if len(answer) == 4:
                answer = asked + "05890185" + domain + answer
            (out,) = ask.bench.hear("00" + frame)
            assert out[1 : 1 + len(answer) // 2] == unhex(answer), frame


def test_a_domain_without_its_key():
    ask = Asking()
    ask("65 00" + KEY)
    assert ask("60 07 00 BADBAD000000 06 8A 03") == unhex("20 07")
    assert ask("60 08 00") == unhex("20 08 BADBAD000000 06 8A 03")
    assert ask.kept().image[KEYS : KEYS + 6] == unhex(KEY)


def test_keys_are_added_to():
    ask = Asking()
    assert ask("60 0A 00 FF0102030405 060708090A0B") == unhex("20 0A")
    assert ask("65 00 020000000001") == b"\x25"
    assert ask.member.image[KEYS:] == unhex("010102030406 060708090A0B")
    assert ask("65 01 010101010101") == b"\x25"
    assert ask("60 0A 01 010000000000 0000000000FF") == unhex("20 0A")
    assert ask.kept().image[KEYS:] == unhex("020102030406 0708090A0B0B")


def test_no_answer_has_a_key_in_it():
    ask = Asking()
    ask("60 0A 00 A1B2C3D4E5F6 A1B2C3D4E5F6")
    for code in range(0x50, 0x7F):
        for payload in ("", "00", "01", "09", "0A", "00 00 00 10", "02 00 00 10", "01 00 00 10"):
            answer = ask("%02X" % code + payload) or b""
            assert b"\xa1\xb2" not in answer and b"\xe5\xf6" not in answer, (code, payload)


def test_leaving_the_domain():
    for request, answered in ((ADDRESSED + "07 64 00", False), (BY_ID + "07 64 00", True)):
        ask = Asking()
        ask("65 00" + KEY)
        out = ask.bench.hear(request)
        assert [frame[-1] for frame in out] == [0x24] * answered
        assert ask.bench.resets == 1
        kept = ask.kept()
        assert kept.state == UNCONFIGURED and not kept.domains[0].used
        assert kept.domains[1].used and not any(kept.image[KEYS:])
        assert ask("64 00") == b"\x04"  # it has none
        assert ask("6A 00") == unhex("2A 000000000000 00 80 80 000000000000")


def test_a_restart_waits_for_the_answer():
    bench = Bench(True)
    bench.chip.acknowledges = False
    bench.chip.up = uplink(lpdu(BY_ID + "07 64 00"))
    bench.node.readable(AWAKE)
    for _ in range(3):
        bench.node.poll(AWAKE)
    assert bench.chip.frames[0][-1] == 0x24 and bench.resets == 0  # the chip has not got it
    bench.octets(ACK)
    assert bench.resets == 1


def test_address_entries():
    ask = Asking()
    for index in range(15):
        assert ask("66 %02X 83 01 34 8A %02X" % (index, index)) == b"\x26"
    for index in range(15):
        assert ask("67 %02X" % index) == unhex("27 83 01 34 8A %02X" % index)
    assert ask.kept().addresses[70:] == unhex("83 01 34 8A 0E")


def test_a_group_hears_of_its_size_and_timers():
    ask = Asking()
    ask("66 03 83 01 34 8A 2A")
    ask("66 04 83 81 34 8A 2A")  # in the other domain
    out = ask.bench.hear("00 16 01 85 2A C0FFEE 07 69 85 0F 56 9B 77")
    assert out == [unhex("00 1A 05 09 01 85 2A 01 C0FFEE 27 29")]
    assert ask("67 03") == unhex("27 85 01 56 9B 2A")  # member and number are its own
    assert ask("67 04") == unhex("27 83 81 34 8A 2A")
    assert ask.bench.hear("00 16 01 85 2A C0FFEE 08 69 05 0F 56 9B 77")[0][-1] == 0x09


def test_the_configuration_is_memory():
    ask = Asking()
    parameters = "045B003B965A4A00000E010012000100"
    assert ask("6D 02 00 00 19") == unhex("2D 0000 000000000000" + parameters + "C0")
    assert ask("6E 02 00 00 08 01 1234 414243444546") == b"\x2e"
    assert ask("6E 02 00 18 01 04 85") == b"\x2e"
    assert ask("6D 02 00 00 19") == unhex("2D 1234 414243444546" + parameters + "85")
    assert ask("6D 02 00 17 02") == unhex("2D 00 85")
    assert ask.kept().image[CONFIG : CONFIG + 9] == unhex("85 1234 414243444546")
    assert ask.bench.resets == 0
    assert ask("6E 02 00 18 01 0C 80") == b"\x2e" and ask.bench.resets == 1


def test_management_that_is_to_be_authenticated():
    ask = Asking()
    bench = ask.bench
    ask("65 00" + KEY)
    ask("6E 02 00 18 01 00 C8")
    for request, answer in (
        ("66 00 8301348A2A", "06"),
        ("6D 01 00 00 06", "0D"),
        ("60 08 00", "00 08"),
        ("53", "13"),
        ("54", "14"),
    ):
        assert ask(request) == unhex(answer), request
    for request in "61 01", "51", "56", "59", "60 01", "62 00":  # never asked for it
        out = bench.hear(ADDRESSED + "07" + request)
        assert not out or out[0][10] & 0x20, request
    bench.node.transport.random = bytes  # eight zeros
    apdu = unhex("66 00 8301348A2A")
    out = bench.hear(unhex(ADDRESSED + "88") + apdu)
    assert out == [unhex("00 2A 05 89 01 85 C0FFEE 88") + bytes(8)]
    reply = authentication(unhex(KEY), bytes(8), apdu)
    out = bench.hear(unhex("00 2A 01 85 05 89 C0FFEE A8") + reply)
    assert out == [unhex("00 1A 05 89 01 85 C0FFEE 28 26")]
    assert bench.member.addresses[:5] == apdu[2:]
    bench.hear(unhex(ADDRESSED + "89") + apdu)
    out = bench.hear(unhex("00 2A 01 85 05 89 C0FFEE A9") + bytes(8))
    assert out == [unhex("00 1A 05 89 01 85 C0FFEE 29 06")]

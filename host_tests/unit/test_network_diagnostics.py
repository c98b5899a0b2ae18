"""Diagnostics that need a transceiver, or somebody else (`lon.md` 3 and 4)."""

from lon_support import lpdu, message
from node_support import AWAKE, Bench
from osgp.lon.management import PROGRAM_ID
from support import unhex

TO_US = "00 1A 01 85 05 89 C0FFEE 0"
BACK = "00 1A 05 89 01 85 C0FFEE 2"


def hear(bench, frame, phase=0, status=4, levels=0xFF):
    """The frame comes with phase and signal."""
    body = b"\x1c" + bytes((phase,)) + lpdu(frame) + bytes((status, levels))
    return bench.octets(message(body))


def test_the_transceivers_registers():
    bench = Bench()
    assert hear(bench, TO_US + "1 54") == [unhex(BACK + "1 34 04 00 04 FF FF 00 00")]
    out = hear(bench, TO_US + "2 54", status=0x0C, levels=0x5A)
    assert out == [unhex(BACK + "2 34 04 00 0C 5A 5A 00 00")]


def test_both_ways_the_answer_may_go_out_attenuated():
    bench = Bench()
    answer = "37 04 00 04 FF FF 00 00"
    assert hear(bench, TO_US + "1 57 00") == [unhex(BACK + "1" + answer)]
    assert bench.chip.commands[-1] == 0x12
    assert hear(bench, TO_US + "2 57 01") == [unhex(BACK + "2" + answer)]
    assert bench.chip.commands[-1] == 0x16
    assert hear(bench, TO_US + "2 57 01") == [unhex(BACK + "2" + answer)]  # again
    assert bench.chip.commands[-1] == 0x16
    assert hear(bench, "80" + TO_US[2:] + "3 51")[0][0] == 0x80
    assert bench.chip.commands[-1] == 0x13


def test_phase():
    bench = Bench()
    for number, phase in enumerate(range(6)):
        out = hear(bench, TO_US + "%X 58" % number, phase)
        assert out == [unhex(BACK + "%X 38 %02X 32 %02X 00" % (number, phase + 1, phase))]
    assert hear(bench, TO_US + "8 58 04", 3) == [unhex(BACK + "8 38 02 32 03 00")]
    bench.node.link.mains_hz = 0  # a link that knows none
    assert hear(bench, TO_US + "9 58", 3) == [unhex(BACK + "9 18")]


def test_version():
    bench = Bench()
    out = hear(bench, TO_US + "1 59")
    assert out == [unhex(BACK + "1 39 01 00") + PROGRAM_ID]


def test_a_proxy_asks_itself():
    bench = Bench()
    (out,) = hear(bench, TO_US + "1 52 01")
    assert out[10] == 0x32 and len(out) == 26 and out[22] == 4
    assert hear(bench, TO_US + "2 52 02") == [unhex(BACK + "2 32 04 00 04 FF FF 00 00")]
    assert hear(bench, TO_US + "3 52 00") == []  # we are configured


def test_a_proxy_asks_for_somebody():
    bench = Bench()
    request = TO_US + "7 52 01 01 0C 33 0A 07"  # subnet 7, node 12; 3 retries of 512 ms
    (out,) = bench.hear(request)
    assert out[1:] == unhex("1A 05 89 07 8C C0FFEE") + out[9:10] + unhex("52 01")
    number = out[9] & 0x0F
    assert bench.hear(request) == []  # repeated while we wait
    answer = unhex("00 1A 07 8C 05 89 C0FFEE") + bytes((0x20 | number,)) + unhex("32 0102")
    assert bench.hear(answer) == [unhex(BACK + "7 32 0102")]
    assert bench.hear(request) == [unhex(BACK + "7 32 0102")]
    assert bench.node.outgoing.slots[0].user is None


def test_a_proxy_whose_target_is_silent():
    bench = Bench()
    request = TO_US + "7 52 01 02 00 00 00 00 0400AABBCCDD"  # by unique id, no retry, 16 ms
    (out,) = bench.hear(request)
    assert out[1:11] == unhex("1E 05 89 00 0400AABBCCDD") and out[-2:] == unhex("52 01")
    bench.settle(AWAKE + 5)
    assert bench.chip.frames == []
    bench.settle(AWAKE + 2000)
    assert bench.chip.frames == [unhex(BACK + "7 12")]


def test_a_proxy_that_is_asked_for_what_cannot_be():
    bench = Bench()
    for number, address in enumerate(
        (
            "01 0C 00 00",  # cut short
            "01 0C 00 00 07 00",
            "00 0C 00 00 07",
            "04 0C 00 00 07",
            "02 00 00 00 00",  # without its id
        )
    ):
        out = hear(bench, TO_US + "%X 52 01" % number + address)
        assert out == [unhex(BACK + "%X 12" % number)], address
    draft = bench.member.draft()
    draft[11] = 0  # no second domain
    bench.member.commit(draft)
    assert hear(bench, TO_US + "8 52 01 01 8C 00 00 07") == [unhex(BACK + "8 12")]
    bench.hear(TO_US + "9 52 01 01 0C 33 0A 07")
    out = bench.hear("00 1A 02 85 05 89 C0FFEE 09 52 01 01 0C 33 0A 07")  # busy
    assert out == [unhex("00 1A 05 89 02 85 C0FFEE 29 12")]


def test_an_unconfigured_node_is_no_agent():
    bench = Bench(state=2)
    assert bench.ask(unhex("52 01 01 0C 33 0A 07")) == b"\x12"
    assert bench.ask(unhex("52 01"), 2)[0] == 0x32

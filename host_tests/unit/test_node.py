"""The whole node on its transceiver: the captured dialogue, dispatch, anything from the line."""

from lon_support import ACK, NI_SHORT, UID, lpdu, packet, uplink
from node_support import AWAKE, Bench
from osgp.lon.management import PROGRAM_ID
from osgp.lon.node import TO_ALL
from osgp.lon.npdu import SUBNET_NODE, UNIQUE_ID
from osgp.membership import CONFIGURED, KEYS, UNCONFIGURED, Membership
from support import noise, unhex
from tables.store import Gate

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None


class Echo:
    """A handler that answers with the request, its code zeroed."""

    def __init__(self):
        self.requests = 0

    def request(self, buf, a, end, out, o, now):
        self.requests += 1
        out[o] = 0
        o += 1
        a += 1
        while a < end:
            out[o] = buf[a]
            o += 1
            a += 1
        return o


# ---- the captured dialogue (`lon.md` 3): heard, sent


def test_the_captured_commissioning_dialogue():
    bench = Bench(open_nm=True, state=UNCONFIGURED)
    heard = (
        "01 10 01 85 00 03 61 00 9B05",
        "00 1C 01 85 00 040000112233 0C 63 00 C0FFEE000000 05 89 03 0102030405AA B7CA",
        "00 1C 01 85 00 040000112233 0D 6C 03 04 3C66",
        "00 0A 01 85 05 89 C0FFEE 04 6C 01 5602",
    )
    sent = (
        unhex("00 18 00 80 01 85 23 21 040000112233") + PROGRAM_ID,
        unhex("00 18 00 80 01 85 2C 23"),
        unhex("00 18 00 80 01 85 2D 2C"),
        unhex("00 0A 05 89 01 85 C0FFEE 24"),
    )
    for frame, answer in zip(heard, sent):
        assert bench.octets(uplink(unhex(frame))) == [answer], frame
        if "6C 03" not in frame:  # that one has changed which frames are ours
            assert bench.octets(uplink(unhex(frame))) == [answer], frame
    again = Membership(bench.settings)
    assert again.state == CONFIGURED and again.domains[0].node == 9


def test_the_captured_query_status():
    bench = Bench(state=UNCONFIGURED)
    up = "7E 62 01 1F 10 1A 00 1C 01 85 00 040000112233 04 51 69 77 95"
    out = bench.octets(unhex(up))
    assert out[0][:8] == unhex("00 18 00 80 01 85 24 31") and len(out[0]) == 8 + 15


def test_the_service_pin_message():
    bench = Bench()
    frames = bench.chip.frames
    bench.node.press_service_pin()
    bench.settle(AWAKE)
    assert frames == [unhex("00 30 00 80 00 7F") + UID + PROGRAM_ID]


def test_silence_after_the_start_is_for_transactions():
    bench = Bench(awake=False)
    assert bench.chip.frames == [unhex("00 30 00 80 00 7F") + UID + PROGRAM_ID]
    bench.chip.frames.clear()
    assert bench.hear("00 1A 01 85 05 89 C0FFEE 07 51", 500) == []
    assert bench.node.poll(501) == AWAKE
    bench.settle(AWAKE - 1)
    assert bench.chip.frames == []
    bench.settle(AWAKE)
    assert len(bench.chip.frames) == 1


def test_an_answer_waits_for_the_transceiver():
    bench = Bench()
    bench.chip.acknowledges = False
    request = "00 1A 01 85 05 89 C0FFEE 07 51"
    assert len(bench.hear(request)) == 1
    assert bench.hear("00 1A 01 86 05 89 C0FFEE 07 51") == []
    assert len(bench.octets(ACK)) == 1


# ---- dispatch


def test_a_handler_gets_the_apdu_and_its_answer_is_kept():
    bench = Bench()
    echo = bench.node.handlers[0x00] = Echo()
    request = "00 1A 01 85 05 89 C0FFEE 07 00 30 0003"
    for _ in range(3):
        assert bench.hear(request) == [unhex("00 1A 05 89 01 85 C0FFEE 27 00 30 0003")]
    assert echo.requests == 1


def test_nobody_serves_a_code():
    bench = Bench()
    assert bench.hear("00 1A 01 85 05 89 C0FFEE 07 01") == []
    assert bench.node.unhandled == 1


def test_a_service_pin_message_of_another_is_no_request():
    bench = Bench()
    assert bench.ask(b"\x7f") is None


def test_soft_offline():
    bench = Bench()
    echo = bench.node.handlers[0x00] = Echo()
    bench.node.management.online = False
    for code, answer in ((0x00, 0x3F), (0x3E, 0x3F), (0x40, 0x4F), (0x4E, 0x4F)):
        request = unhex("00 1A 01 85 05 89 C0FFEE 07") + bytes((code,))
        assert bench.hear(request)[0][10:] == bytes((answer,)), code
    assert bench.hear("00 1A 01 85 05 89 C0FFEE 08 51")[0][22] == 12
    assert echo.requests == 0


def test_an_unconfigured_node_serves_nothing_but_what_is_always_served():
    bench = Bench(state=UNCONFIGURED)
    echo = bench.node.handlers[0x00] = bench.node.handlers[0x47] = Echo()
    bench.node.always[0x47] = 1 << UNIQUE_ID
    assert bench.ask(unhex("00 30 0003"), 1) is None
    assert bench.ask(unhex("47 01"), 2) == unhex("00 01")
    assert bench.hear("00 12 01 85 00 C0FFEE 03 47 01") == []  # not by broadcast
    assert echo.requests == 1


def test_always_is_before_soft_offline_but_not_by_address():
    bench = Bench()
    bench.node.handlers[0x47] = Echo()
    bench.node.always[0x47] = 1 << UNIQUE_ID
    bench.node.management.online = False
    head = "00 1E 01 85 00 040000112233 C0FFEE"
    assert bench.hear(head + "07 47 01")[0][10:] == unhex("00 01")
    assert bench.hear("00 1A 01 85 05 89 C0FFEE 07 47 01") == []


def test_always_says_in_which_formats():
    bench = Bench()
    echo = bench.node.handlers[0x4D] = Echo()
    bench.node.always[0x4D] = 1 << UNIQUE_ID | 1 << SUBNET_NODE
    bench.node.management.online = False
    for frame, served in (
        ("00 1A 01 85 05 89 C0FFEE 01", True),
        ("00 1E 01 85 00 040000112233 C0FFEE 02", True),
        ("00 12 01 85 00 C0FFEE 03", False),
        ("00 16 01 85 2A C0FFEE 04", False),
    ):
        before = echo.requests
        bench.hear(frame + "4D 00")
        assert echo.requests == before + served, frame


def test_what_is_broadcast_to_all_has_a_handler_of_its_own():
    bench = Bench()
    echo = bench.node.handlers[0x00] = Echo()
    to_all = bench.node.handlers[TO_ALL] = Echo()
    for frame in (
        "00 32 01 85 00 C0FFEE 00 40",  # unacknowledged, and repeated
        "00 32 01 85 05 C0FFEE 00 40",
        "00 02 01 85 00 C0FFEE 11 00 40",
        "00 02 01 85 00 C0FFEE 11 00 40",
        "00 02 01 85 00 C0FFEE 91 00 40",
    ):
        assert bench.hear(frame) == [], frame
    assert to_all.requests == 3  # a repetition is none, authenticated or not
    assert bench.hear("00 12 01 85 00 C0FFEE 02 00 40") == []  # a request is not for all
    assert bench.hear("00 02 01 85 00 C0FFEE 03 00 40") != []  # acknowledged, not delivered
    assert to_all.requests == 3 and echo.requests == 0
    bench.hear("00 12 01 85 00 C0FFEE 04 41 40")
    assert bench.node.unhandled == 1  # another code is as ever
    bench.node.management.online = False
    bench.hear("00 32 01 85 00 C0FFEE 00 40")
    assert to_all.requests == 3


def test_hard_offline_is_as_offline_as_soft():
    bench = Bench(open_nm=True)
    echo = bench.node.handlers[0x00] = Echo()
    bench.hear("00 1A 01 85 05 89 C0FFEE 07 6C 03 06")
    bench.hear("00 1A 01 85 05 89 C0FFEE 08 6C 01")
    for number, code, answer in ((1, "00", 0x3F), (2, "4E", 0x4F)):
        (out,) = bench.hear("00 1A 01 85 05 89 C0FFEE 0%d" % number + code)
        assert out[10] == answer
    assert echo.requests == 0


def test_a_group_request_is_answered_by_its_handler():
    bench = Bench()
    draft = bench.member.draft()
    bench.member.set_address(draft, 0, unhex("83 01 00 40 2A"))
    bench.member.commit(draft)
    bench.node.handlers[0x00] = Echo()
    out = bench.hear("80 16 01 85 2A C0FFEE 03 00 30")
    assert out[0][:13] == unhex("80 1A 05 09 01 85 2A 01 C0FFEE 23 00")
    assert bench.chip.commands[-1] == 0x13


def test_an_answer_may_come_later():
    class Later:
        def request(self, buf, a, end, out, o, now):
            self.record = bench.node.transport.current
            self.serial = self.record.serial
            return o

    bench = Bench()
    later = bench.node.handlers[0x00] = Later()
    assert bench.hear("00 1A 01 85 05 89 C0FFEE 03 00 30") == []
    later.record.answer[0] = 0x00
    bench.node.transport.answer(later.record, 1, AWAKE + 500)
    bench.settle(AWAKE + 500)
    assert bench.chip.frames == [unhex("00 1A 05 89 01 85 C0FFEE 23 00")]


def test_the_gate_is_told():
    bench = Bench()
    gate = bench.node.gate
    seen = []

    class Handler:
        def request(self, buf, a, end, out, o, now):
            seen.append(gate.answering)
            return o

    bench.node.handlers[0x00] = Handler()
    bench.hear("00 1A 01 85 05 89 C0FFEE 07 00 30 0003", 7777)
    assert seen == [True] and not gate.answering and gate.told == 7777


def asked_without_acknowledgement():
    """A node with the real gate, its answer on the way to a chip that says nothing yet."""
    bench = Bench()
    bench.node.handlers[0x00] = Echo()
    bench.node.gate = gate = Gate(AWAKE)
    bench.chip.acknowledges = False
    assert len(bench.hear("00 1A 01 85 05 89 C0FFEE 07 00 30 0003", AWAKE + 10)) == 1
    return bench, gate


def test_the_gate_is_closed_while_an_answer_leaves():
    """Deaf is also mute: an erase here would stop our own octets, and the chip would give up."""
    gate = asked_without_acknowledgement()[1]
    assert not gate.open(AWAKE + 10)
    assert not gate.open(AWAKE + 150)


def test_the_gate_opens_when_the_chip_has_the_answer():
    bench, gate = asked_without_acknowledgement()
    bench.octets(ACK[:3], AWAKE + 20)
    assert not gate.open(AWAKE + 20)
    bench.octets(ACK[3:], AWAKE + 21)
    assert gate.open(AWAKE + 21)
    bench.octets(b"\x7e", AWAKE + 22)  # the next thing comes
    assert not gate.open(AWAKE + 22)


def test_the_gate_stays_closed_when_the_acknowledgement_brings_a_frame():
    """Nothing is to come between its first octets and the rest."""
    bench, gate = asked_without_acknowledgement()
    frame = bytearray(uplink(lpdu("00 1A 01 85 05 89 C0FFEE 08 00 30 0003")))
    frame[1] |= 0x10
    frame[3] = frame[3] - 0x10 & 0xFF
    bench.octets(bytes(frame[:9]), AWAKE + 20)
    assert not gate.open(AWAKE + 20)
    assert len(bench.octets(bytes(frame[9:]), AWAKE + 22)) == 1
    assert not gate.open(AWAKE + 22)


# ---- the transceiver in trouble


def test_a_reset_of_the_chip_is_survived():
    bench = Bench()
    request = "00 1A 01 85 05 89 C0FFEE 07 51"
    first = bench.hear(request)
    bench.octets(packet(NI_SHORT, 0x50, 1))
    assert bench.node.link.up and bench.node.link.resets == 1
    assert bench.hear(request) == first


def test_a_frame_the_link_repeats_is_one_frame():
    bench = Bench()
    octets = uplink(lpdu("00 1A 01 85 05 89 C0FFEE 07 51"), 5)
    assert len(bench.octets(octets + octets)) == 1
    assert bench.node.transport.duplicates == 0


def test_frames_longer_than_a_reading_of_the_uart():
    bench = Bench()
    bench.node.handlers[0x00] = Echo()
    body = b"\0" + bytes(noise(150))
    head = unhex("00 1A 01 85 05 89 C0FFEE 07")
    assert bench.hear(head + body)[0][10:] == body


# ---- anything


def anything(octets):
    """Neither raises nor stops the node from answering later."""
    for state in (UNCONFIGURED, CONFIGURED):
        bench = Bench(open_nm=True, state=state)
        draft = bench.member.draft()
        bench.member.set_address(draft, 0, unhex("83 01 00 40 2A"))
        draft[KEYS : KEYS + 12] = bytes(range(1, 13))
        bench.member.commit(draft)
        bench.node.transport.random = bytes
        bench.node.handlers[0x00] = Echo()
        bench.octets(octets)
        bench.settle(AWAKE + 1000)
        bench.node.transport._silent = False
        assert bench.node.link.up
        sent = bench.hear("00 1C 01 85 00 040000112233 0E 51", AWAKE + 20000)
        assert [frame for frame in sent if frame[6:8] == unhex("2E 31")]


def test_noise_on_the_uart():
    for seed in range(5):
        anything(bytes(noise(200, seed)))


def test_noise_in_sound_frames():
    for seed in range(30):
        anything(uplink(lpdu(noise(6 + seed, seed))))


if given:
    HEADS = (
        "00 1A 01 85 05 89 C0FFEE",
        "00 1C 01 85 00 040000112233",
        "00 3C 01 85 00 040000112233",
        "00 06 01 85 2A C0FFEE",
        "00 16 01 85 2A C0FFEE",
        "00 12 01 85 00 C0FFEE",
        "00 2A 01 85 05 89 C0FFEE",
        "00 0A 01 05 05 89 2A 03 C0FFEE",
    )

    @given(st.lists(st.binary(max_size=40), max_size=5))
    def test_any_octets(pieces):
        for piece in pieces:
            anything(piece)

    @given(st.lists(st.binary(max_size=60), max_size=3))
    def test_any_frame_with_a_good_crc(frames):
        anything(b"".join(uplink(lpdu(frame)) for frame in frames))

    @given(st.sampled_from(HEADS), st.lists(st.binary(max_size=60), max_size=4))
    def test_any_pdu_to_us(head, pdus):
        anything(b"".join(uplink(lpdu(unhex(head) + pdu)) for pdu in pdus))

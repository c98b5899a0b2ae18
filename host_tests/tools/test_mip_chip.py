"""The simulated transceiver's UART side: the captured start-up, each row of lon.md 5, faults, and
any octets.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from osgp_tools import mip_framing as framing
from osgp_tools.link_budget import Signal
from osgp_tools.lpdu import crc16
from osgp_tools.mip_chip import DOWNLINK_BUFFERS, Chip
from osgp_tools.mip_framing import Packet, Parser, code_packet, message
from osgp_tools.mip_uplink import ACK_TIMEOUT_MS, BUFFERS, MOST_SENDS

NODE = bytes.fromhex("040000112233")
PROGRAM = bytes.fromhex("9FFFFF0501840460")
LPDU = bytes.fromhex("001C0185000400001122330451 6977")
PLAIN_SIGNAL = Signal()
ACK = code_packet(framing.NULL, ack=True)
FAIL = code_packet(framing.FAIL)
REJECT = code_packet(framing.MSG_REJECT)
RESYNC = code_packet(framing.RESYNC)


class Desk:
    """A chip with everything it does on record."""

    def __init__(self, **options):
        self.now = 1_000
        self.up = bytearray()
        self.line = []
        self.cancelled = 0
        self.chip = Chip(NODE, self.up.extend, self.line.append, cancel=self._cancel, **options)

    def _cancel(self):
        self.cancelled += 1

    def tell(self, octets, after=0):
        """Octets of the host, `after` ms. Returns what came up meanwhile."""
        self.now += after
        self.chip.feed(octets, self.now)
        return self.take()

    def take(self):
        came = bytes(self.up)
        self.up.clear()
        return came

    def packets(self, octets):
        return list(Parser().feed(octets))

    def hear(self, signal=PLAIN_SIGNAL):
        self.chip.receive(LPDU, self.now, signal)
        return self.take()

    def wait(self, ms):
        self.now += ms
        self.chip.poll(self.now)
        return self.take()


def command(*octets, seq=0, ack=False):
    return code_packet(framing.MSG, 1, seq, ack) + message(bytes(octets))


def short(octet, seq=0, ack=False):
    return code_packet(framing.NI_SHORT, octet, seq, ack)


def h(text):
    return bytes.fromhex(text.replace("00*11", "00" * 11))


def checked(text):
    """A message of the capture, its checksum (`ck` in lon.md) made: `code packet | message`."""
    head, tail = text.split("|")
    plain = h(tail)
    return h(head) + plain + bytes((-sum(plain) & 0xFF,))


# -- the captured start-up, byte for byte


def test_captured_start_up():
    """What the independent host sent gets what it got then.

    Left out is the phase mode command, of which lon.md has neither octets nor answer. The chip of
    the capture was one with a fixed layer 2 and firmware A0; it only acknowledged D0 and D1.
    """
    desk = Desk(fixed_layer_2=True, version=0xA0)
    assert desk.tell(h("7E07007B")) == h("7E000082")
    assert desk.tell(h("7E12016F 01D02F")) == h("7E100072")
    node_id = checked("7E32014F | 16 16700107 00*11 2D 040000112233")
    assert desk.tell(h("7E32014F 1422700005 00*11 6D01000006 E1")) == node_id
    assert desk.tell(h("7E300052")) == b""
    assert desk.tell(h("7E72010F 01D12E")) == h("7E100072")
    assert desk.tell(h("7E06E09C")) == h("7E52012F 05E01EA001005C")
    assert desk.tell(h("7E500032")) == b""
    service_pin = checked("7ED201AF | 15 12 00300080007F 040000112233 9FFFFF0501840460")
    assert desk.tell(service_pin) == ACK
    frame = h("00300080007F") + NODE + PROGRAM
    assert desk.line[0].lpdu == frame + crc16(frame).to_bytes(2, "big")
    up = h("7E62011F 101A 001C01850004000011223304516977 95")
    assert desk.hear() == up
    assert desk.tell(h("7E700012")) == b""
    answer = checked("7E32014F | 18 12 0018 0080 0185 2431" + "00" * 15)
    assert desk.tell(answer) == ACK
    assert len(desk.line) == 2
    desk.chip.reset(desk.now)
    assert desk.take() == h("7E26500C")


# -- code packets, one test a row


def test_null_is_a_ping_and_an_ack_is_not():
    desk = Desk()
    assert desk.tell(code_packet(framing.NULL)) == ACK
    assert desk.tell(ACK) == b""


def test_fail_brings_the_last_transfer_again_at_once():
    desk = Desk()
    first = desk.hear()
    assert first
    assert desk.tell(FAIL) == first
    desk.tell(ACK)
    assert desk.tell(FAIL) == b""


def test_message_request_is_answered_and_reserves_for_250_ms():
    desk = Desk()
    request = code_packet(framing.MSG_REQ)
    assert desk.tell(request) == code_packet(framing.MSG_ACK)
    for seq in range(1, DOWNLINK_BUFFERS + 1):
        assert desk.tell(command(0x12, *LPDU[:-2], seq=seq)) == ACK
    assert desk.tell(request) == REJECT
    desk.chip.sent()
    assert desk.tell(request) == code_packet(framing.MSG_ACK)
    assert desk.tell(request) == REJECT
    desk.wait(250)
    assert desk.tell(request) == code_packet(framing.MSG_ACK)


def test_no_buffer_is_a_reject_until_the_line_has_sent():
    desk = Desk()
    for seq in range(1, DOWNLINK_BUFFERS + 1):
        desk.tell(command(0x12, *LPDU[:-2], seq=seq))
    one_more = command(0x12, *LPDU[:-2], seq=DOWNLINK_BUFFERS + 1)
    assert desk.tell(one_more) == REJECT
    assert desk.tell(one_more) == REJECT
    desk.chip.sent()
    assert desk.tell(one_more) == ACK
    assert len(desk.line) == DOWNLINK_BUFFERS + 1


def test_a_repeat_of_what_was_taken_is_not_rejected_for_want_of_a_buffer():
    desk = Desk()
    for seq in range(1, DOWNLINK_BUFFERS + 1):
        desk.tell(command(0x12, *LPDU[:-2], seq=seq))
    assert desk.tell(command(0x12, *LPDU[:-2], seq=DOWNLINK_BUFFERS)) == ACK
    assert len(desk.line) == DOWNLINK_BUFFERS


def test_same_sequence_number_is_acknowledged_and_discarded():
    desk = Desk()
    octets = command(0x12, *LPDU[:-2], seq=3)
    assert desk.tell(octets) == ACK
    assert desk.tell(octets) == ACK
    assert len(desk.line) == 1
    assert desk.chip.counters.duplicates == 1


def test_sequence_number_0_is_never_a_duplicate():
    desk = Desk()
    octets = command(0x12, *LPDU[:-2])
    desk.tell(octets)
    desk.tell(octets)
    assert len(desk.line) == 2


def test_resync_forgets_both_sequence_numbers():
    desk = Desk()
    octets = command(0x12, *LPDU[:-2], seq=3)
    desk.tell(octets)
    assert desk.tell(RESYNC) == code_packet(framing.NULL)
    desk.tell(octets)
    assert len(desk.line) == 2
    assert [packet.seq for packet in desk.packets(desk.hear())] == [1]


def test_uplink_sequence_numbers_go_1_to_7():
    desk = Desk()
    seen = []
    for _ in range(9):
        seen += [packet.seq for packet in desk.packets(desk.hear())]
        desk.tell(ACK)
    assert seen == [1, 2, 3, 4, 5, 6, 7, 1, 2]


def test_one_uplink_at_a_time_and_the_next_after_the_ack():
    desk = Desk()
    assert desk.hear()
    assert desk.hear() == b""
    assert desk.tell(ACK)


def test_an_uplink_without_ack_comes_again_until_the_host_is_given_up():
    desk = Desk()
    first = desk.hear()
    assert desk.wait(ACK_TIMEOUT_MS - 1) == b""
    assert desk.wait(1) == first
    for _ in range(MOST_SENDS):
        desk.wait(ACK_TIMEOUT_MS)
    assert desk.chip.statistics()["given_up"] == 1
    assert desk.chip.poll(desk.now) is None


def test_frames_beyond_the_buffers_are_counted_as_missed():
    desk = Desk()
    for _ in range(BUFFERS + 2):
        desk.hear()
    assert desk.chip.counters.missed == 2


def test_a_broken_message_is_a_fail_and_a_broken_code_packet_is_nothing():
    desk = Desk()
    octets = bytearray(command(0x12, *LPDU[:-2], seq=1))
    octets[-3] ^= 1
    assert desk.tell(bytes(octets)) == FAIL
    assert desk.tell(h("7E06E09D")) == b""
    assert desk.packets(desk.tell(short(0xE0)))[0].body == h("E01EA10102")


def test_a_packet_right_after_a_torn_one_is_seen():
    for torn in ("7E", "7E55", "7E5501", "7E7E", "55"):
        desk = Desk()
        assert desk.tell(h(torn) + RESYNC) == code_packet(framing.NULL), torn


def test_octets_that_stop_for_40_ms_are_no_packet():
    desk = Desk()
    octets = command(0x12, *LPDU[:-2], seq=1)
    desk.tell(octets[:10])
    assert desk.chip.poll(desk.now) == desk.now + 40
    assert desk.wait(39) == b""
    assert desk.wait(1) == FAIL
    assert desk.tell(octets) == ACK
    desk.tell(octets[:2])
    assert desk.wait(40) == b""


def test_a_new_code_packet_inside_a_message_drops_the_message():
    desk = Desk()
    octets = command(0x12, *LPDU[:-2], seq=1)
    assert desk.tell(octets[:9] + short(0xE0))
    assert desk.line == []


def test_7e_is_doubled_both_ways():
    desk = Desk()
    payload = bytes.fromhex("001001850003617E7E")
    octets = command(0x12, *payload, seq=1)
    assert octets.count(0x7E) == 1 + 4
    desk.tell(octets)
    assert desk.line[0].lpdu[:-2] == payload
    desk.chip.receive(payload + b"\x7e\x7e", desk.now, PLAIN_SIGNAL)
    up = desk.take()
    assert desk.packets(up)[0].body == b"\x1a" + payload + b"\x7e\x7e"
    assert up.count(0x7E) == 1 + 8


def test_extended_length_both_ways():
    desk = Desk()
    payload = bytes(range(256)) * 2
    assert desk.tell(command(0x12, *payload, seq=1)) == ACK
    assert desk.line[0].lpdu[:-2] == payload
    desk.chip.receive(payload, desk.now, PLAIN_SIGNAL)
    assert desk.packets(desk.take())[0].body == b"\x1a" + payload


# -- NI commands, one test a row


def test_comm_priority_attenuate_and_zero_cross():
    desk = Desk()
    wanted = []
    for seq, octet in enumerate((0x12, 0x13, 0x16, 0x1B), 1):
        desk.tell(command(octet, *LPDU[:-2], seq=seq))
        desk.chip.sent()
    wanted = [(sent.priority, sent.attenuate, sent.zero_cross) for sent in desk.line]
    assert wanted == [
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (True, False, True),
    ]


def test_a_frame_too_short_is_acknowledged_and_counted():
    desk = Desk()
    assert desk.tell(command(0x12, 0, 0x10, 1, seq=1)) == ACK
    assert desk.line == []
    assert desk.chip.counters.refused == 1


def test_phase_modes_say_the_mains_and_add_phase_and_signal():
    desk = Desk()
    heard = Signal(phase=4, status=0x0C, levels=0x5A)
    assert desk.packets(desk.hear(heard))[0].body == b"\x1a" + LPDU
    desk.tell(ACK)
    assert desk.packets(desk.tell(short(0x41)))[0].body == h("4032")
    desk.tell(ACK)
    assert desk.packets(desk.hear(heard))[0].body == b"\x1b\x04" + LPDU
    desk.tell(ACK)
    desk.tell(short(0x42))
    desk.tell(ACK)
    assert desk.packets(desk.hear(heard))[0].body == b"\x1c\x04" + LPDU + h("0C5A")


def test_a_crc_error_is_31():
    desk = Desk()
    desk.chip.crc_error(desk.now)
    assert desk.take() == code_packet(framing.NI_SHORT, 0x31, 1)


def test_layer_mode_echoes_or_resets():
    desk = Desk()
    assert desk.tell(short(0xD1, seq=1)) == code_packet(framing.NI_SHORT, 0xD1, 1, ack=True)
    desk.tell(ACK)
    assert desk.tell(short(0xD0, seq=2)) == code_packet(framing.NI_SHORT, 0x50, 1)
    desk.tell(ACK)
    assert desk.chip.layer == 5
    assert desk.hear() == b""
    assert desk.packets(desk.tell(short(0xE0)))[0].body[3] == 0
    desk.tell(ACK)
    desk.tell(short(0xD1, seq=1))
    assert desk.chip.layer == 2


def test_reset_commanded_and_spontaneous_lose_what_is_volatile():
    desk = Desk()
    desk.tell(short(0x42))
    desk.tell(ACK)
    desk.hear()
    desk.hear()
    assert desk.tell(short(0x50, seq=4)) == h("7E26500C")
    assert desk.cancelled == 1
    desk.tell(ACK)
    assert desk.packets(desk.hear())[0].body == b"\x1a" + LPDU
    desk.chip.reset(desk.now)
    assert desk.take() == h("7E26500C")


def test_offline_and_flush_keep_frames_back():
    desk = Desk()
    for close, reopen in ((0x80, 0x70), (0x90, 0x60), (0xA0, 0x60)):
        desk.tell(short(close))
        assert desk.hear() == b""
        assert desk.tell(command(0x12, *LPDU[:-2])) == ACK
        assert desk.line == []
        desk.tell(short(reopen))
        assert desk.hear()
        desk.tell(ACK)
    assert desk.cancelled == 2


def test_unknown_ni_commands_are_acknowledged_and_counted():
    desk = Desk()
    for octet in (0x00, 0xC3, 0xE8, 0x43):
        assert desk.tell(short(octet)) == ACK
    assert desk.chip.counters.refused == 4


# -- local network management


def local(desk, *apdu):
    message = bytes((0x22, 0x70, 0x00, len(apdu))) + bytes(11) + bytes(apdu)
    (packet,) = desk.packets(desk.tell(command(*message)))
    desk.tell(ACK)
    body = packet.body
    assert body[:3] == h("167001")
    assert body[3] == len(body) - 15
    return body[15:]


def test_local_reads():
    desk = Desk()
    assert local(desk, 0x6D, 1, 0, 0, 6) == b"\x2d" + NODE
    assert local(desk, 0x6D, 2, 0, 8, 16) == b"\x2d" + h("045B003B965A4A00000E010012000100")
    assert local(desk, 0x6D, 1, 0, 13, 8) == b"\x2dOSGPLINE"
    assert local(desk, 0x6D, 1, 0, 20, 8) == b"\x0d"
    assert local(desk, 0x6D, 0, 0, 0, 1) == b"\x0d"
    assert local(desk, 0x63, 1) == b"\x03"


def test_local_status_counts_and_clears():
    desk = Desk()
    desk.chip.crc_error(desk.now)
    desk.tell(ACK)
    assert local(desk, 0x51) == h("31 0001 0000 0000 0000 0000 01 02 01 00 1E")
    assert local(desk, 0x53) == b"\x33"
    assert local(desk, 0x51)[1:3] == bytes(2)
    assert local(desk, 0x59) == b"\x19"


def test_local_transceiver_registers_are_those_of_the_last_frame():
    desk = Desk()
    assert local(desk, 0x54) == h("34 040004FFFF0000")
    desk.hear(Signal(0, 0x0C, 0x73))
    desk.tell(ACK)
    assert local(desk, 0x54) == h("34 04000C73730000")


def test_a_local_message_without_apdu_is_only_acknowledged():
    desk = Desk()
    assert desk.tell(command(0x22, 0x70, 0, 0, *bytes(11))) == ACK
    assert desk.tell(command(0x22)) == ACK
    assert desk.chip.counters.refused == 2


# -- faults


def test_faults_strike_as_often_as_told():
    desk = Desk()
    desk.chip.faults.reject = 2
    octets = command(0x12, *LPDU[:-2], seq=1)
    assert [desk.tell(octets) for _ in range(3)] == [REJECT, REJECT, ACK]
    desk.chip.faults.fail = 1
    octets = command(0x12, *LPDU[:-2], seq=2)
    assert [desk.tell(octets) for _ in range(2)] == [FAIL, ACK]
    desk.chip.faults.drop_ack = 1
    octets = command(0x12, *LPDU[:-2], seq=3)
    assert [desk.tell(octets) for _ in range(2)] == [b"", ACK]
    assert len(desk.line) == 3
    desk.chip.faults.garble = 1
    assert desk.packets(desk.hear()) in ([], [Packet(framing.MSG, 1, 1)])
    assert desk.packets(desk.wait(ACK_TIMEOUT_MS))[0].body == b"\x1a" + LPDU


# -- any octets

pieces = st.one_of(
    st.binary(max_size=12),
    st.just(RESYNC),
    st.just(FAIL),
    st.just(b"\x7e"),
    st.builds(
        lambda body, seq, ack: code_packet(framing.MSG, 1, seq, ack) + message(body),
        st.binary(min_size=1, max_size=40),
        st.integers(0, 7),
        st.booleans(),
    ),
    st.builds(short, st.integers(0, 255), st.integers(0, 7), st.booleans()),
)


@settings(deadline=None)
@given(st.lists(st.tuples(pieces, st.integers(0, 60)), max_size=30))
def test_any_octets_never_raise_and_a_pause_and_resync_bring_order(octets):
    desk = Desk()
    for piece, pause in octets:
        desk.tell(piece, pause)
        desk.chip.receive(LPDU, desk.now, PLAIN_SIGNAL)
    desk.wait(40)
    desk.tell(RESYNC)
    for _ in range(BUFFERS + 1):
        desk.tell(ACK)
    assert desk.tell(RESYNC) == code_packet(framing.NULL)
    (status,) = desk.packets(desk.tell(short(0xE0)))
    assert status.body[0] == 0xE0
    assert status.seq == 1
    assert status.ack


@given(st.binary(min_size=1, max_size=600), st.integers(0, 7), st.booleans(), st.integers(1, 50))
def test_framing_round_trip_in_pieces(body, seq, ack, size):
    packet = Packet(framing.MSG, 1, seq, ack, body)
    octets = framing.encode(packet)
    parser = Parser()
    came = []
    for at in range(0, len(octets), size):
        came += parser.feed(octets[at : at + size])
    assert came == [packet]
    assert not parser.busy

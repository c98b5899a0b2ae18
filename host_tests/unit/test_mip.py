"""The link to the transceiver: framing, numbers, and every repair. Octets of `lon.md` 5."""

from lon_support import (
    ACK,
    CRC_ERROR,
    FAIL,
    NI_SHORT,
    NULL,
    REJECT,
    Chip,
    exchange,
    feed,
    lpdu,
    message,
    packet,
    stuffed,
    uplink,
)
from osgp.lon.mip import Mip
from support import noise, unhex

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

# captured: a query status arrives, with number 3
CAPTURED = unhex("7E 62 01 1F 10 1A 00 1C 01 85 00 040000112233 04 51 69 77 95")
FRAME = unhex("00 1C 01 85 00 040000112233 04 51 69 77")
PIN = unhex("00 30 00 80 00 7F 040000112233 9FFFFF0501840460")
FLAGS = lpdu("00 1A 01 85 05 89 7E7E7E 07 00 7E 00 7E7E 12 01 6F 7E 26 50 0C")


def started():
    chip = Chip()
    mip = Mip(chip)
    mip.start(0)
    exchange(mip, chip, 0)
    assert mip.up
    chip.log.clear()
    return mip, chip


def send(mip, frame, now):
    mip.tx[2 : 2 + len(frame)] = frame
    mip.send(2 + len(frame), now)


# ---- up


def test_a_captured_frame():
    mip, chip = started()
    assert feed(mip, CAPTURED, 1) == [FRAME]
    assert chip.log == [unhex("7E 10 00 72")]


def test_phase_and_signal_of_modes_1_and_2():
    mip, _ = started()
    assert feed(mip, message(b"\x1b\x21" + FRAME), 1) == [FRAME]
    assert mip.phase == 0x21
    assert feed(mip, message(b"\x1c\x22" + FRAME + b"\x98\x76"), 1) == [FRAME]
    assert (mip.phase, mip.ssi1, mip.ssi2) == (0x22, 0x98, 0x76)


def test_incoming_without_a_frame():
    mip, _ = started()
    for body in ("1A", "1B", "1B 01", "1C", "1C 01", "1C 01 02", "1C 01 02 03"):
        assert feed(mip, message(unhex(body)), 1) == []


def test_a_repeated_number_is_acknowledged_and_discarded():
    mip, chip = started()
    assert feed(mip, uplink(FRAME, 3), 1) == [FRAME]
    assert feed(mip, uplink(FRAME, 3), 1) == []
    assert chip.log == [ACK, ACK]
    assert feed(mip, uplink(FRAME, 4), 1) == [FRAME]
    assert feed(mip, uplink(FRAME, 0) + uplink(FRAME, 0), 1) == [FRAME, FRAME]  # 0: no number


def test_split_at_every_octet():
    for frame in (FRAME, FLAGS):
        mip, _ = started()
        octets = uplink(frame)
        for cut in range(1, len(octets)):
            got = feed(mip, octets[:cut], 1)
            got += feed(mip, octets[cut:], 2)
            assert got == [frame], cut
        got = []
        for k in range(len(octets)):
            got += feed(mip, octets[k : k + 1], 3)
        assert got == [frame]


def test_two_frames_in_one_piece_come_out_one_by_one():
    mip, _ = started()
    octets = CAPTURED + uplink(FLAGS, 4)
    a = mip.feed(octets, 0, len(octets), 1)
    assert a == len(CAPTURED) and mip.frame
    assert mip.feed(octets, a, len(octets), 1) == len(octets) and mip.frame
    mip.feed(b"", 0, 0, 1)
    assert not mip.frame


def test_garbage_between_packets():
    mip, _ = started()
    for garbage in ("00", "7E", "7E 7E", "7E 00", "7E 00 00", "FF 7E 10 01", "7E 7E 7E 7E", "55"):
        got = feed(mip, unhex(garbage) + uplink(FRAME), 1)
        assert got == [FRAME], garbage


def test_a_flag_is_no_control_octet():
    mip, chip = started()
    chip.acknowledges = False
    send(mip, PIN, 1)
    feed(mip, unhex("7E 7E 00 04"), 2)  # the sum is right, but there is no type E
    assert not mip.ready


def test_inter_octet_time():
    octets = uplink(FRAME)
    for cut in range(1, len(octets)):
        mip, _ = started()
        got = feed(mip, octets[:cut], 100)
        assert got + feed(mip, octets[cut:], 140) == [FRAME]
        assert feed(mip, octets[:cut], 200) + feed(mip, octets[cut:], 241) == []
        assert feed(mip, octets, 300) == [FRAME]


def test_a_broken_message_is_asked_for_again():
    mip, chip = started()
    octets = bytearray(CAPTURED)
    octets[-1] ^= 1
    assert feed(mip, octets, 1) == []
    assert chip.log == [packet(FAIL)]
    assert mip.checksum_errors == 1
    assert feed(mip, CAPTURED, 2) == [FRAME]  # same number: it has not been taken


def test_a_packet_inside_a_message_ends_it():
    mip, _ = started()
    for cut in range(5, len(CAPTURED)):
        assert feed(mip, CAPTURED[:cut] + uplink(FRAME, 0), 1) == [FRAME], cut


def test_a_message_that_is_too_long_is_counted_and_does_not_come_again():
    for length in (251, 255):
        mip, chip = started()
        feed(mip, packet(2, 1, 5) + bytes((length,)) + bytes(40), 1)
        assert mip.overruns == 1
        assert chip.log == [ACK]
        assert feed(mip, CAPTURED, 2) == [FRAME]


def test_the_longest_message():
    mip, _ = started()
    frame = bytes(noise(249, 3))
    assert feed(mip, uplink(frame), 1) == [frame]


def test_an_empty_message_and_unknown_commands_are_acknowledged():
    mip, chip = started()
    before = (mip.resets, mip.crc_errors)
    feed(mip, packet(2, 1) + b"\x00\x00", 1)
    for command in range(256):
        if command not in (0x50, CRC_ERROR):
            feed(mip, packet(NI_SHORT, command), 1)
    assert chip.log == [ACK] * (1 + 254)
    assert (mip.resets, mip.crc_errors) == before and mip.up


def test_receive_errors_of_the_chip_are_counted():
    mip, _ = started()
    feed(mip, packet(NI_SHORT, CRC_ERROR, 6) + message(bytes((CRC_ERROR,)), 7), 1)
    assert mip.crc_errors == 2


# ---- down


def test_the_captured_service_pin_message():
    mip, chip = started()
    for number in (4, 5, 6, 7, 1, 2):  # three went into the start
        send(mip, PIN, 1)
        assert not mip.ready
        assert chip.log[-1][:4] == packet(2, 1, number)
        assert chip.log[-1][4:] == unhex("15 12") + PIN + bytes((-0x15 - 0x12 - sum(PIN) & 0xFF,))
        exchange(mip, chip, 1)
        assert mip.ready
    assert chip.frames == [PIN] * 6


def test_flags_are_doubled():
    mip, chip = started()
    send(mip, FLAGS, 1)
    assert chip.frames == [FLAGS]
    assert chip.log[-1][4:] == stuffed(b"\x12" + FLAGS)
    assert b"\x05\x89" + b"\x7e" * 6 + b"\x07\x00" + b"\x7e" * 2 + b"\x00" in chip.log[-1]


def test_a_lost_acknowledgement_repeats_the_same_octets():
    mip, chip = started()
    chip.acknowledges = False
    send(mip, PIN, 0)
    assert mip.poll(249) == 250
    assert len(chip.log) == 1
    for now in (250, 500, 750):
        mip.poll(now)
    assert len(chip.log) == 4 and chip.log == [chip.log[0]] * 4
    assert mip.repeats == 3
    feed(mip, ACK, 800)
    assert mip.ready


def test_four_times_unacknowledged_starts_anew():
    mip, chip = started()
    chip.acknowledges = False
    send(mip, PIN, 0)
    for now in (250, 500, 750, 1000):
        mip.poll(now)
    assert chip.log[-1] == unhex("7E 07 00 7B")
    assert not mip.up


def test_an_acknowledgement_rides_on_a_message():
    mip, chip = started()
    chip.acknowledges = False
    send(mip, PIN, 0)
    assert feed(mip, packet(2, 1, 1, 1) + stuffed(b"\x1a" + FRAME), 1) == [FRAME]
    assert mip.ready


def test_a_ping_of_the_chip_acknowledges_nothing():
    mip, chip = started()
    chip.acknowledges = False
    send(mip, PIN, 0)
    feed(mip, packet(NULL), 1)
    assert not mip.ready


def test_a_failed_transfer_is_sent_again_at_once():
    mip, chip = started()
    chip.acknowledges = False
    send(mip, PIN, 0)
    feed(mip, packet(FAIL), 5)
    assert len(chip.log) == 2 and chip.log[0] == chip.log[1]
    feed(mip, ACK + packet(FAIL), 6)  # nothing is on its way any more
    assert len(chip.log) == 2


def test_a_rejected_message_is_repeated_until_it_is_taken():
    mip, chip = started()
    chip.acknowledges = False
    send(mip, PIN, 0)
    now = 0
    while now < 3000:
        feed(mip, packet(REJECT), now)
        mip.poll(now + 29)
        now += 30
        mip.poll(now)
    assert len(chip.log) == 101 and chip.log == [chip.log[0]] * 101
    feed(mip, ACK, now)
    assert mip.ready


def test_a_chip_without_a_buffer_for_10_s_is_started_anew():
    mip, chip = started()
    chip.acknowledges = False
    send(mip, PIN, 0)
    now = 0
    while chip.log[-1] == chip.log[0] and now < 20000:
        feed(mip, packet(REJECT), now)
        now += 30
        mip.poll(now)
    assert 10000 <= now < 10200
    assert chip.log[-1] == unhex("7E 07 00 7B")


def survives(pieces):
    """Feed anything; then a frame, twice, must come out once at least."""
    mip, _ = started()
    now = 0
    for piece in pieces:
        feed(mip, piece, now)
        now += 7
    # Whatever they began, 40 ms of silence end it; but they may have told the link to start anew.
    if mip.up:
        copies = feed(mip, uplink(FLAGS), now)
        assert FLAGS in copies + feed(mip, uplink(FLAGS), now + 250)


def test_noise():
    for seed in range(20):
        survives([noise(50, seed), noise(3, seed + 100), b"\x7e"])


if given:

    @given(st.lists(st.binary(max_size=60), max_size=6))
    def test_no_octets_raise_and_the_second_copy_is_received(pieces):
        survives(pieces)

    @given(st.lists(st.sampled_from(unhex("7E 7E 12 01 6F 00 82 26 50 0C 02 FF")), max_size=80))
    def test_nor_do_octets_like_packets(octets):
        survives([bytes(octets)])

"""Receive records: what is new, what is a repetition, what is sent and when (`lon.md` 2)."""

import ticks
from osgp.lon.transport import LARGEST, RECORDS
from osgp.membership import CONFIG
from support import unhex
from transport_support import LATER, START, Layers

TO_US = "00 1A 01 85 05 89 C0FFEE "
ACKD, REPEATED, REQUEST = "00 0A 01 85 05 89 C0FFEE 0", "00 0A 01 85 05 89 C0FFEE 1", TO_US + "0"
BACK = "00 1A 05 89 01 85 C0FFEE "
RECEIVE_MS = 8192


def test_a_request_is_answered():
    it = Layers()
    assert it.hear(REQUEST + "7 51") == b"\x51"
    assert it.sent() is None
    it.answer("31 0102")
    assert it.sent() == unhex(BACK + "27 31 0102")
    assert it.sent() is None


def test_a_repeated_request_is_delivered_once_and_answered_from_the_record():
    it = Layers()
    it.hear(REQUEST + "7 51")
    it.answer("31 0102")
    first = it.sent()
    for _ in range(3):
        assert it.hear(REQUEST + "7 51") is None
        assert it.sent() == first
        assert it.sent() is None
    assert it.transport.duplicates == 3 and it.transport.received == 1


def test_a_repetition_that_finds_the_answer_unsent_does_not_double_it():
    it = Layers()
    it.hear(REQUEST + "7 51")
    it.answer("31")
    assert it.hear(REQUEST + "7 51") is None
    assert it.sent() is not None and it.sent() is None


def test_the_alternate_path_of_a_repetition_is_added():
    it = Layers()
    it.hear(REQUEST + "7 51")
    it.answer("31")
    assert it.sent()[0] == 0x00
    it.hear("40" + REQUEST[2:] + "7 51")
    assert it.sent()[0] == 0x40
    it.hear(REQUEST + "7 51")
    assert it.sent()[0] == 0x40  # once added it stays


def test_a_request_on_the_alternate_path_is_answered_on_it():
    it = Layers()
    it.hear("42" + REQUEST[2:] + "7 51")
    it.answer("31")
    assert it.sent()[0] == 0x40  # and without its backlog


def test_acknowledged_messages():
    it = Layers()
    assert it.hear(ACKD + "4 6C 01") == unhex("6C 01")
    it.answer("2C")  # nobody asked
    ack = unhex("00 0A 05 89 01 85 C0FFEE 24")
    assert it.sent() == ack
    assert it.hear(ACKD + "4 6C 01") is None
    assert it.sent() == ack


def test_repeated_service_is_delivered_once_and_never_answered():
    it = Layers()
    assert it.hear(REPEATED + "4 00 30") == unhex("00 30")
    it.answer("00")
    for _ in range(3):
        assert it.hear(REPEATED + "4 00 30") is None
    assert it.sent() is None
    assert it.transport.duplicates == 3


def test_unacknowledged_messages_are_delivered_each_time():
    it = Layers()
    for _ in range(2):
        assert it.hear("00 3A 01 85 05 89 C0FFEE 00 30") == unhex("00 30")
        it.answer("00")
        assert it.sent() is None


def test_a_null_response_ends_the_record():
    it = Layers()
    assert it.hear(REQUEST + "7 61 00") == unhex("61 00")
    it.answer("")
    assert it.sent() is None
    assert it.hear(REQUEST + "7 61 00") is None
    assert it.sent() is None


def test_the_same_number_with_other_content_is_new():
    it = Layers()
    it.hear(REQUEST + "7 51")
    it.answer("31")
    it.sent()
    assert it.hear(REQUEST + "7 53") == b"\x53"
    it.answer("33")
    assert it.sent() == unhex(BACK + "27 33")
    assert it.hear(REQUEST + "7 51 00") == unhex("51 00")  # longer
    assert it.hear(REQUEST + "7 51") == b"\x51"  # shorter
    assert it.hear(REQUEST + "8 51") == b"\x51"  # number
    assert it.hear(ACKD + "8 51") == b"\x51"  # layer


def test_an_unsent_answer_gives_way_to_the_next_request():
    it = Layers()
    it.hear(REQUEST + "7 51")
    it.answer("31")
    it.hear(REQUEST + "8 53")
    it.answer("33")
    assert it.sent() == unhex(BACK + "28 33")
    assert it.sent() is None
    assert it.transport.due(LATER) == ticks.add(LATER, ticks.FAR)  # none is counted as waiting


def test_what_makes_another_sender():
    it = Layers()
    frames = [
        REQUEST + "7 51",
        "80" + REQUEST[2:] + "7 51",  # priority
        "00 1A 02 85 05 89 C0FFEE 07 51",  # subnet
        "00 1A 01 86 05 89 C0FFEE 07 51",  # node
        "00 12 01 85 00 C0FFEE 07 51",  # broadcasts
        "00 12 01 85 05 C0FFEE 07 51",
        "00 1E 01 85 00 040000112233 C0FFEE 07 51",
        "00 1E 01 85 00 040000112233 0A0B0C 07 51",  # domain
    ]
    for frame in frames:
        assert it.hear(frame) == b"\x51", frame
    for frame in frames:
        assert it.hear(frame) is None, frame


def test_whoever_becomes_a_member_knows_the_repetition_of_what_made_him_one():
    """By unique id in a domain that is nobody's at first, and then his own (profile 15)."""
    it = Layers()
    by_id = "00 1E 01 85 00 040000112233 0A0B0C 07 51"
    assert it.hear(by_id) == b"\x51"
    draft = it.member.draft()
    it.member.set_domain(draft, 0, 3, unhex("0A0B0C 000000"), 5, 9)
    it.member.commit(draft)
    assert it.hear(by_id) is None


def test_the_destination_of_an_earlier_broadcast_makes_no_other_sender():
    it = Layers()
    assert it.hear(REQUEST + "7 51")
    it.hear("00 12 01 85 05 C0FFEE 03 51")
    assert it.hear(REQUEST + "7 51") is None


def test_a_record_expires_from_its_first_reception():
    for frame, ms in (
        (REQUEST + "7 51", RECEIVE_MS),
        ("00 1C 01 85 00 040000112233 07 51", 8192),
        ("00 16 01 85 2A C0FFEE 07 51", 512),
        ("00 16 01 85 2B C0FFEE 07 51", 16384),
    ):
        it = Layers()
        assert it.hear(frame)
        assert it.hear(frame, LATER + ms - 1) is None  # which does not prolong it
        assert it.hear(frame, LATER + ms) == b"\x51"


def test_nothing_comes_back_when_the_ticks_come_round():
    week = ticks.add(LATER, 7 * 86_400_000)
    it = Layers()
    assert it.hear(REQUEST + "7 51", START)
    it.answer("31")
    assert it.sent(START) is None and it.sent(LATER) is not None
    assert it.hear(REQUEST + "7 51", week) == b"\x51"  # no repetition of last week's
    it = Layers()
    assert it.sent(LATER) is None  # nobody asked; the silence is over all the same
    it.hear(REQUEST + "7 51", week)
    it.answer("31", week)
    assert it.sent(week) is not None


def test_an_answer_that_was_never_sent_expires_too():
    it = Layers()
    it.hear(REQUEST + "7 51")
    it.answer("31")
    assert it.sent(LATER + RECEIVE_MS) is None
    assert it.transport.due(LATER) == ticks.add(LATER, ticks.FAR)


def test_one_sender_too_many():
    it = Layers()
    frames = ["00 1A 01 {:02X} 05 89 C0FFEE 07 51".format(0x81 + k) for k in range(RECORDS + 1)]
    for frame in frames[:RECORDS]:
        assert it.hear(frame)
        it.answer("31")
    assert it.hear(frames[RECORDS]) is None
    assert it.transport.lost == 1
    for frame in frames[:RECORDS]:
        assert it.hear(frame) is None  # all are still known
    while it.sent():
        pass
    assert it.hear(frames[RECORDS], LATER + RECEIVE_MS)  # room again


def test_every_due_answer_is_sent_once():
    it = Layers()
    for k in range(RECORDS):
        it.hear("00 1A 01 {:02X} 05 89 C0FFEE 07 51".format(0x81 + k))
        it.answer("31")
    out = [it.sent() for _ in range(RECORDS)]
    assert sorted(frame[5] for frame in out) == list(range(0x81, 0x81 + RECORDS))
    assert it.sent() is None


def test_silence_after_the_start():
    it = Layers()
    it.hear(ACKD + "1 6C 01", START + 10)
    assert it.transport.due(START + 10) == LATER
    assert it.sent(LATER - 1) is None
    assert it.sent(LATER) == unhex("00 0A 05 89 01 85 C0FFEE 21")
    assert not it.transport.silent(START)  # once over it is over, wherever the ticks wrap to


def test_what_has_no_business_here_is_counted():
    it = Layers()
    for pdu in ("1A", "0A"):
        for header in ("34 51", "44 00", "54 00 51", "74 51", "07"):  # no group's; empty
            assert it.hear("00" + pdu + "01 85 05 89 C0FFEE" + header) is None, header
    assert it.hear("00 1A 01 85 05 89 C0FFEE 17 51") is None  # a repeated request
    assert it.hear("00 2A 01 85 05 89 C0FFEE 27 0001020304050607") is None  # a reply to nobody
    assert it.transport.unsupported == 12
    assert it.sent() is None


def test_what_answers_a_message_of_ours_is_for_others():
    it = Layers()
    for frame in (
        "00 1A 01 85 05 89 C0FFEE 27 31",
        "00 0A 01 85 05 89 C0FFEE 27",
        "00 0A 01 05 05 89 2A 03 C0FFEE 27",
        "00 2A 01 85 05 89 C0FFEE 87 0001020304050607",  # a challenge
        "00 2A 01 85 05 89 C0FFEE 97 0001020304050607",
    ):
        assert it.hear(frame) is False, frame
    assert it.transport.received == it.transport.unsupported == 0


def test_the_configured_receive_timer():
    for code, ms in ((0, 128), (1, 192), (8, 2048), (9, 3072), (15, 24576)):
        it = Layers()
        draft = it.member.draft()
        draft[CONFIG] = code << 4
        it.member.commit(draft)
        assert it.hear(REQUEST + "7 51")
        assert it.hear(REQUEST + "7 51", LATER + ms - 1) is None
        assert it.hear(REQUEST + "7 51", LATER + ms) == b"\x51"


def test_a_request_with_priority_is_answered_with_priority():
    it = Layers()
    it.hear("81" + REQUEST[2:] + "7 51")
    it.answer("31")
    assert it.sent()[0] == 0x80


def test_an_answer_that_comes_later():
    it = Layers()
    it.hear(REQUEST + "7 51")
    record, serial = it.record, it.record.serial
    assert it.transport.current is record
    it.answer("")
    assert it.hear(REQUEST + "7 51") is None and it.sent() is None
    it.record = record
    it.answer("31", LATER + 100)
    assert it.sent(LATER + 100) == unhex(BACK + "27 31")
    it.hear(REQUEST + "8 51")
    assert it.record is record and record.serial != serial  # it is another's now
    it.answer("31", LATER + RECEIVE_MS)  # too late
    assert it.sent(LATER + RECEIVE_MS) is None


def test_the_largest_apdu():
    it = Layers()
    head = unhex(REQUEST + "7")
    assert it.hear(head + bytes(LARGEST)) == bytes(LARGEST)
    it.transport.answer(it.record, LARGEST, LATER)
    assert len(it.sent()) == 10 + LARGEST
    assert it.hear(head + bytes(LARGEST + 1)) is None
    assert it.hear("00 3A 01 85 05 89 C0FFEE" + "00" * (LARGEST + 1)) is None
    assert it.transport.unsupported == 2

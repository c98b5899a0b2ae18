"""Messages to a group: each member answers, and the list of those heard says who again
(`lon.md` 1 and 2)."""

import ticks
from support import unhex
from transport_support import LATER, Layers

GROUP_ACKD, GROUP_REQUEST = "00 06 01 85 2A C0FFEE ", "00 16 01 85 2A C0FFEE "


def test_a_group_message_is_acknowledged_by_each_member():
    it = Layers()
    assert it.hear(GROUP_ACKD + "01 6C 01") == unhex("6C 01")
    assert it.sent() == unhex("00 0A 05 09 01 85 2A 01 C0FFEE 21")  # observed
    assert it.hear(GROUP_ACKD + "01 6C 01") is None
    assert it.sent() == unhex("00 0A 05 09 01 85 2A 01 C0FFEE 21")
    assert it.hear("00 06 01 85 2B C0FFEE 01 6C 01") == unhex("6C 01")  # of another group
    assert it.sent() == unhex("00 0A 05 09 01 85 2B 09 C0FFEE 21")


def test_a_group_request_is_answered_as_member():
    it = Layers()
    assert it.hear(GROUP_REQUEST + "03 00 30") == unhex("00 30")
    it.answer("00 01")
    assert it.sent() == unhex("00 1A 05 09 01 85 2A 01 C0FFEE 23 00 01")


def test_who_stands_in_the_list_keeps_quiet():
    for asked, kept in (("53 00", "51"), ("53 01 FD", "51"), ("53 02 FD FF", "51")):
        it = Layers()
        assert it.hear(GROUP_REQUEST + asked + "51") == b"\x51", asked  # the first was not heard
        it.answer("31")
        assert it.sent() is not None
        assert it.hear(GROUP_REQUEST + "53 01 00" + kept) is None  # nor the answer
        assert it.sent() is not None
        assert it.hear(GROUP_REQUEST + "53 01 02" + kept) is None
        assert it.sent() is None
    it = Layers()
    assert it.hear(GROUP_REQUEST + "53 01 02 51") is None  # answered in an earlier life
    assert it.hear("00 16 01 85 2B C0FFEE 53 01 FF 51") == b"\x51"  # member 9: behind the list
    assert it.hear("00 16 01 85 2B C0FFEE 54 02 FF 02 51") is None


def test_a_repetition_with_a_list_is_none_of_another_content():
    it = Layers()
    assert it.hear(GROUP_ACKD + "03 00 30") == unhex("00 30")
    assert it.hear(GROUP_ACKD + "53 01 00 00 30") is None
    assert it.hear(GROUP_ACKD + "53 01 00 00 31") == unhex("00 31")


def test_a_reminder_asks_again_or_hushes():
    it = Layers()
    it.hear(GROUP_ACKD + "03 00 30")
    ack = it.sent()
    assert it.hear(GROUP_ACKD + "43 03 FD FF FF") is None
    assert it.sent() == ack
    assert it.hear(GROUP_ACKD + "44 03 FD FF FF") is None  # of another transaction
    assert it.sent() is None
    assert it.hear(GROUP_ACKD + "43 03 FF FF FF") is None
    assert it.hear(GROUP_ACKD + "03 00 30") is None  # the message that follows
    assert it.sent() is None
    assert it.transport.due(LATER) == ticks.add(LATER, ticks.FAR)


def test_a_reminder_takes_an_answer_back_that_waits():
    it = Layers()
    it.hear(GROUP_ACKD + "03 00 30")
    assert it.hear(GROUP_ACKD + "43 01 02") is None
    assert it.sent() is None and it.transport.due(LATER) == ticks.add(LATER, ticks.FAR)


def test_a_list_that_is_longer_than_its_frame():
    it = Layers()
    for header in ("43", "43 01", "53", "53 02 00", "43 FF 00"):
        assert it.hear(GROUP_ACKD + header) is None, header
    assert it.transport.unsupported == 5
    assert it.hear(GROUP_ACKD + "53 00") is None  # no message
    assert it.hear(GROUP_ACKD + "43 00") is None  # nothing to remind of
    assert it.transport.unsupported == 6

"""`osgp decode` of what goes along a path: repeating and discovery."""

import pytest

from osgp_tools import addp, lpdu, ltep
from osgp_tools.addp import Heard, Query
from osgp_tools.decode import Decoder
from osgp_tools.lpdu import Frame
from osgp_tools.ltep import Hop

DOMAIN = bytes.fromhex("C0FFEE")
UNIQUE_ID = bytes.fromhex("0400AABBCCDD")
PATH = (b"\x04\0\0\0\0\x01", b"\x04\0\0\0\0\x02")


def conversation(message: bytes, answer: bytes) -> tuple[str, str]:
    """What is said of a request to 5/9 and of its answer."""
    decoder = Decoder()
    request = Frame(source=(1, 5), destination=(5, 9), domain=DOMAIN, tid=7, body=message)
    back = Frame(
        kind=lpdu.RESPONSE, source=(5, 9), destination=(1, 5), domain=DOMAIN, tid=7, body=answer
    )
    return str(decoder.frame(request.encode())), str(decoder.frame(back.encode()))


def wrapped(apdu: bytes) -> bytes:
    path = [Hop(5, 9), Hop(5, 12), Hop(5, 13, True)]
    return ltep.wrap(path, ltep.device(UNIQUE_ID), apdu, ltep.schedule(3))[1]


def test_the_answer_of_the_target_is_explained():
    asked, answered = conversation(wrapped(b"\x61\x01"), b"\x21" + UNIQUE_ID + b"\x9f" * 8)
    assert "repeating (LTEP): query id" in asked
    assert "hop 2: subnet own, node 13, second carrier" in asked
    assert "retries, timer 3072 ms" in asked  # between repeaters
    assert "3 retries, timer 1536 ms" in asked  # the agent's
    assert "who is selected" in asked
    assert "unique id 0400AABBCCDD" in answered and "done" in answered


def test_a_table_read_through_repeaters():
    read = bytes.fromhex("00 30 0017 00000001 1122334455667788")
    asked, answered = conversation(wrapped(read), bytes.fromhex("00 00") + bytes(20))
    assert "repeating (LTEP): full read" in asked and "BT23" in asked
    assert "full read of BT23" in answered


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("4D", "repeating done"),
        ("4C01", "with 1 hops to come, the next repeater did not answer"),
        ("4C00", "with 0 hops to come, the target did not answer"),
        ("4C82", "a repeater was busy"),
    ],
)
def test_what_repeaters_say_themselves(answer, said):
    assert said in conversation(wrapped(b"\x51"), bytes.fromhex(answer))[1]


def test_a_message_that_is_cut_short():
    asked, answered = conversation(wrapped(b"\x51")[:4], b"\x4c\x02")
    assert "data" in asked and "4C02" not in asked
    assert "with 2 hops to come" not in answered  # nobody knows what it was about


def explained(frame: Frame) -> str:
    return str(Decoder().frame(frame.encode()))


def test_a_search():
    query = Query(b"CONCEN", PATH, 1, 0x1234, addp.UNCOMMISSIONED, 3, 0x0F, 5, 8, 10)
    shown = explained(query.frame((1, 127)))
    assert "seeks who is not commissioned, hash and 0F = 05" in shown
    assert "8 slots of 160 ms" in shown and "epoch 3" in shown
    assert "hop 1: 040000000001, has passed it on" in shown
    assert "hop 2: 040000000002\n" in shown
    shown = explained(Query(b"CONCEN", device=UNIQUE_ID).frame())
    assert "asks 0400AABBCCDD" in shown


def test_an_answer_on_its_way():
    query = Query(b"CONCEN", PATH, 2, 0x1234)
    answer = addp.answer_to(
        query, UNIQUE_ID, Heard(0x0C, 0x5A, 2), commissioned=True, subnet=1, node=5
    )
    shown = explained(answer.passed_on(Heard(4, 0x77, 1)).frame())
    assert "device 0400AABBCCDD, 1/5, 3 hops away" in shown
    assert "heard the query: margin 9 dB, strength -24 dB, second carrier, phase 2" in shown
    assert "hop 1: 040000000001\n" in shown
    assert (
        "hop 2: ..000002 heard the answer: margin 15 dB, strength -42 dB, first carrier" in shown
    )
    shown = explained(addp.answer_to(query, UNIQUE_ID, Heard()).frame())
    assert "not commissioned" in shown and "not measured" in shown

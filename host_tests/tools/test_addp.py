"""Discovery messages (45, 4A) as the host builds and reads them; the firmware's are its proof."""

from collections import Counter
from itertools import combinations

import pytest

from osgp.lon import discovery_messages
from osgp_tools import addp
from osgp_tools.addp import Answer, DiscoveryFormatError, Heard, Query, answer_to
from osgp_tools.airtime import limit_seconds
from osgp_tools.lpdu import APDU, BROADCAST, UNIQUE_ID, decode

CONCENTRATOR, DEVICE = b"CONCEN", b"DEVICE"
PATH = tuple(b"\x04\0\0\0\0" + bytes((k,)) for k in range(addp.LONGEST_PATH))
SEARCH = Query(CONCENTRATOR, PATH[:2], nonce=0x1234, epoch=3, condition=addp.UNCOMMISSIONED)


def test_the_octets_of_a_search():
    query = Query(
        CONCENTRATOR, PATH[:1], 1, 0x1234, 2, 3, mask=0x0F, value=5, slots=8, slot_length=9
    )
    expected = b"\x45\x01\x32CONCEN\x11\x12\x34\x0f\x05\x08\x09" + PATH[0]
    assert query.encode() == expected
    assert addp.decode_query(expected) == query


def test_the_octets_of_a_question():
    query = Query(CONCENTRATOR, nonce=1, device=DEVICE)
    assert query.encode() == b"\x45\x02\x00CONCEN\x00\x00\x01DEVICE"
    assert addp.decode_query(query.encode()) == query


def test_a_query_goes_along_its_path():
    query = SEARCH
    for unique_id in PATH[:2]:
        assert query.addressee == unique_id
        frame = decode(query.frame((1, 127)).encode())
        assert (frame.pdu, frame.address, frame.unique_id) == (APDU, UNIQUE_ID, unique_id)
        query = query.passed_on()
    assert decode(query.frame().encode()).address == BROADCAST
    question = Query(CONCENTRATOR, PATH[:1], 1, device=DEVICE)
    assert question.addressee == DEVICE


def test_an_answer_comes_back():
    heard = Heard(0x45, 0x33, 2)
    answer = answer_to(
        SEARCH, DEVICE, heard, commissioned=True, subnet=1, node=5, program=b"12345678"
    )
    assert (answer.hops, answer.addressee) == (3, PATH[1])
    assert addp.decode_answer(answer.encode()) == answer
    for k in (1, 0):
        answer = answer.passed_on(Heard(0x70 + k, 0x20, k))
    assert answer.addressee == CONCENTRATOR
    assert answer.links == (Heard(0x70, 0x20, 0), Heard(0x71, 0x20, 1))
    assert answer.came_by(PATH[:2]) and not answer.came_by(PATH[1:3])
    assert (answer.heard.margin, answer.heard.strength) == (3, -66)


def test_the_longest_path():
    query = Query(CONCENTRATOR, PATH, nonce=1)
    assert (
        len(query.encode()) == 106
        and len(Query(CONCENTRATOR, PATH, device=DEVICE).encode()) == 108
    )
    answer = answer_to(query, DEVICE, Heard(), program=b"12345678")
    assert answer.program == b"" and len(answer.encode()) == 113
    assert answer_to(SEARCH, DEVICE, Heard(), program=b"12345678").program
    with pytest.raises(ValueError, match="15 at most"):
        Query(CONCENTRATOR, (*PATH, DEVICE)).encode()


def test_what_is_no_message():
    for whole, take in (
        (SEARCH.encode(), addp.decode_query),
        (Query(CONCENTRATOR, PATH[:1], device=DEVICE).encode(), addp.decode_query),
        (answer_to(SEARCH, DEVICE, Heard(), program=b"12345678").encode(), addp.decode_answer),
    ):
        for n in range(len(whole)):
            with pytest.raises(DiscoveryFormatError):
                take(whole[:n])
        with pytest.raises(DiscoveryFormatError):
            take(whole + b"\0")
        with pytest.raises(DiscoveryFormatError):
            take(whole[:1] + b"\x09" + whole[2:])


def test_both_hashes_are_one():
    for nonce in (0, 1, 0xFFFF, 0x1234):
        message = Query(CONCENTRATOR, nonce=nonce).encode()
        for unique_id in (*PATH, DEVICE, bytes(6), b"\xff" * 6):
            assert addp.mixed(unique_id, nonce) == discovery_messages._mixed(unique_id, message)


def test_the_hash_spreads_neighbours():
    """500 ids of one batch: shares and slots are even; who fall together once part again."""
    devices = [b"\x04\x00\x00\x01" + k.to_bytes(2, "big") for k in range(500)]

    def places(nonce):
        query = Query(CONCENTRATOR, nonce=nonce, mask=0x0F, slots=32)
        return [(addp.mixed(one, nonce) >> 8 & 0x0F, query.slot(one)) for one in devices]

    together, again = 0, 0
    for nonce in range(20):
        now, then = places(nonce), places(nonce + 1)
        assert max(Counter(share for share, _ in now).values()) < 2 * 500 / 16
        assert max(Counter(slot for _, slot in now).values()) < 3 * 500 / 32
        groups: dict = {}
        for k, place in enumerate(now):
            groups.setdefault(place, []).append(k)
        for group in groups.values():
            for i, j in combinations(group, 2):
                together += 1
                again += then[i] == then[j]
    expected = 20 * 500 * 499 / 2 / (16 * 32)
    assert 0.8 * expected < together < 1.2 * expected
    assert again < together / 100


def test_copies_are_as_many_as_pay():
    assert [addp.copies(hops, 0.0) for hops in (1, 16)] == [0, 0]
    assert [addp.copies(hops, 0.05) for hops in (1, 16)] == [0, 1]
    assert [addp.copies(hops, 0.2) for hops in (1, 4, 16)] == [0, 1, 2]
    assert addp.copies(16, 0.5) == 3
    query = Query(CONCENTRATOR, PATH[:1], nonce=1, copies=2, condition=1)
    assert query.encode()[2] == 0x09 and addp.decode_query(query.encode()) == query
    answer = answer_to(query, DEVICE, Heard(), commissioned=True)
    assert answer.encode()[2] == 0x21 and addp.decode_answer(answer.encode()) == answer
    assert addp.slot_length(16, 3) > addp.slot_length(16)
    assert addp.travel(query) > addp.travel(Query(CONCENTRATOR, PATH[:1]))


def test_answer_defaults_are_those_of_a_stranger():
    answer = Answer(DEVICE, CONCENTRATOR, 1)
    assert not answer.commissioned and answer.hops == 1 and answer.addressee == CONCENTRATOR


@pytest.mark.parametrize("hops", (1, 2, 5, 16))
def test_a_slot_holds_an_answer_on_two_hops(hops):
    longest = limit_seconds(addp.HEADERS + min(31 + 6 * (hops - 1), addp.COMMON))
    seconds = addp.slot_length(hops) * addp.SLOT_UNIT
    assert min(hops, 2) * longest <= seconds < min(hops, 2) * longest + addp.SLOT_UNIT

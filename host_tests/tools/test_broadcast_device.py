"""How a message to all has to come, at a whole device: what of 14908 carries it, and what does
not."""

import sys
from pathlib import Path

import pytest

import device
from osgp_tools.broadcast import Order, Sent, sealed
from osgp_tools.lpdu import (
    ACKD,
    APDU,
    BROADCAST,
    REQUEST,
    SPDU,
    SUBNET_NODE,
    TPDU,
    UNACKD_RPT,
    UNIQUE_ID,
    Frame,
)
from osgp_tools.suites import AES_PSK, LEGACY
from rig import UID, Member

BASE = 0x01020304  # B of the rig's member
GROUP = 0x0102
ORDER = Order((GROUP,), 2050, b"\x01\x00")


@pytest.fixture(params=[LEGACY, AES_PSK])
def member(request):
    one = Member(mode=request.param)
    assert one.command(b"\x40\x00\x07\x00\x06\x1b\x08\x0a\x01\x02\x01").code == 0  # EP27
    return one


def apdu(member, number=BASE, order=ORDER):
    return sealed(member.mode, member.KEY[::-1], number, Sent(order, number, 77).command)


def to_all(member, **changes):
    frame = Frame(
        pdu=TPDU,
        address=BROADCAST,
        source=(member.SUBNET, 1),
        domain=member.DOMAIN,
        kind=UNACKD_RPT,
        tid=3,
        body=apdu(member),
    )
    return frame.with_(**changes)


def hear(member, frame):
    """Nothing is answered. Whether the relay is open a second later."""
    assert member.rig.exchange(frame.encode()) == []
    member.rig.advance(1000)
    member.rig.device.application.poll(member.rig.board.now)
    return bool(member.rig.device.control.et30[28] & 1)


def test_repeated(member):
    frame = to_all(member)
    assert hear(member, frame.with_(delta_backlog=2))
    for _ in range(2):
        assert hear(member, frame)
    assert member.rig.device.transactions[0].executed == 1
    assert member.rig.device.broadcast.received == 1, "the transport knows its repetitions"


def test_by_an_agent_too(member):
    """The same octets from elsewhere: another message to the transport, the same number."""
    assert hear(member, to_all(member))
    hear(member, to_all(member, source=(member.SUBNET, 44), tid=9))
    broadcast = member.rig.device.broadcast
    assert (broadcast.received, broadcast.accepted, broadcast.outside) == (2, 1, 1)
    assert member.rig.device.transactions[0].executed == 1


@pytest.mark.parametrize(
    "changes",
    [{"pdu": APDU}, {"destination": (Member.SUBNET, 0)}],
    ids=["unacknowledged", "to its subnet"],
)
def test_carried_otherwise(member, changes):
    assert hear(member, to_all(member, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"destination": (Member.SUBNET + 1, 0)},
        {"domain": b"abc"},
        {"domain": b""},
    ],
    ids=["another subnet", "another domain", "no domain"],
)
def test_to_others(member, changes):
    assert not hear(member, to_all(member, **changes))
    assert member.rig.device.broadcast.received == 0


def test_a_request_to_all_is_none(member):
    """It would be answered by everybody at once."""
    assert not hear(member, to_all(member, pdu=SPDU, kind=REQUEST))
    assert member.rig.device.broadcast.received == 0


@pytest.mark.parametrize("address", [SUBNET_NODE, UNIQUE_ID])
def test_to_one_device_it_is_no_good_message(member, address):
    """Under the broadcast key nobody is asked by himself, whatever carries it."""
    destination = (member.SUBNET, member.NODE) if address == SUBNET_NODE else (0, 0)
    changes = {"address": address, "destination": destination, "unique_id": UID}
    failures = member.rig.device.envelope.failures
    for pdu, kind in ((TPDU, UNACKD_RPT), (TPDU, ACKD), (SPDU, REQUEST)):
        frame = to_all(member, pdu=pdu, kind=kind, tid=pdu + kind + 4, **changes)
        for answer in member.rig.exchange(frame.encode()):
            assert answer.body[:2] in (b"", b"\x00\x0b")
        member.rig.advance(1000)
        member.rig.device.application.poll(member.rig.board.now)
    assert not member.rig.device.control.et30[28] & 1
    assert member.rig.device.envelope.failures == failures + 3


def test_a_unicast_message_that_is_broadcast_is_none(member):
    """What was sealed for one device under its own key."""
    sealed_for_one = member.sealed(Sent(ORDER, BASE, 77).command)
    assert not hear(member, to_all(member, body=sealed_for_one.apdu))
    assert member.rig.device.broadcast.failures == 1
    assert member.command("30 0001").code == 0


def test_a_device_that_is_no_member_any_more(member):
    """Node state unconfigured: it hears what is broadcast, and does nothing."""
    draft = member.rig.device.member.draft()
    draft[0] = 2
    member.rig.device.member.commit(draft)
    assert not hear(member, to_all(member))
    assert member.rig.device.broadcast.received == 0


def test_calls_are_not_too_deep(member):
    """A Pico has a stack for some thirty calls, of which the way from main.py to a part takes
    five. The deepest is what a procedure logs: in a broadcast, and in a transaction."""
    deepest = depth = 0
    firmware = str(Path(device.__file__).parent)

    def watch(frame, event, argument):
        nonlocal depth, deepest
        if frame.f_code.co_filename.startswith(firmware):
            depth += {"call": 1, "return": -1}.get(event, 0)
            deepest = max(deepest, depth)

    def lived(act):
        nonlocal depth, deepest
        depth = deepest = 0
        logged = member.rig.device.events.sequence
        sys.setprofile(watch)
        try:
            act()
        finally:
            sys.setprofile(None)
        assert member.rig.device.events.sequence > logged, "the relay's event"
        return deepest

    application = member.rig.device.application
    application.poll(member.rig.board.now)  # both relays are closed
    member.rig.exchange(to_all(member).encode())
    member.rig.advance(1000)
    assert lived(lambda: application.poll(member.rig.board.now)) <= 18
    other = Sent(Order((GROUP,), 2050, b"\x02\x00"), BASE + 1, 78)
    assert lived(lambda: member.command(other.command)) <= 21

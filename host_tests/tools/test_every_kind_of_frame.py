"""A whole device is asked in every way in which 14908-1 can ask: address formats, domain lengths,
services, priority, path, authentication. The frames are made and read by the host's own codec, and
read by tshark.
"""

from itertools import product

import pytest

import rig
from osgp.membership import KEYS
from osgp.security.digest import authentication
from osgp_tools import pcap, tshark
from osgp_tools.lpdu import (
    ACK,
    ACKD,
    APDU,
    AUTH,
    BROADCAST,
    CHALLENGE,
    GROUP,
    REM_MSG,
    REMINDER,
    REPLY,
    REQUEST,
    RESPONSE,
    SPDU,
    SUBNET_NODE,
    TPDU,
    UNACKD_RPT,
    UNIQUE_ID,
    Frame,
)
from osgp_tools.suites import AES_PSK
from rig import UID, Member

DOMAINS = (b"", b"\x77", bytes.fromhex("C0FFEE"), bytes.fromhex("C0FFEE123456"))
ADDRESSES = {
    "broadcast": {"address": BROADCAST, "destination": (0, 0)},
    "subnet broadcast": {"address": BROADCAST, "destination": (5, 0)},
    "group": {"address": GROUP, "group": 0x2A},
    "subnet, node": {"address": SUBNET_NODE, "destination": (5, 9)},
    "unique id": {"address": UNIQUE_ID, "unique_id": UID},
}
SERVICES = {"request": (SPDU, REQUEST), "acked": (TPDU, ACKD), "repeated": (TPDU, UNACKD_RPT)}
NUMBER = 3  # the device's own in the group
LONG_MS = 25_000  # every record of a message is forgotten by then
STATUS = b"\x51"
DOMAIN_KEYS = bytes(range(1, 13))


class Asked:
    """The device, and all that was on its line."""

    def __init__(self, mode: int = 0):
        self.member = Member(mode=mode)
        self.rig = self.member.rig
        self.line: list[bytes] = []

    def configure(self, domain: bytes, oma: bool = False) -> None:
        member = self.rig.device.member
        draft = member.draft()
        member.set_domain(draft, 0, len(domain) | 8 * oma, domain.ljust(6, b"\0"), 5, 9)
        member.set_address(draft, 7, bytes((0x80 | 5, NUMBER, 0, 0xC0, 0x2A)))
        draft[KEYS : KEYS + 12] = DOMAIN_KEYS
        member.commit(draft)

    def hear(self, frame: Frame) -> list[Frame]:
        answers = self.rig.exchange(frame.encode())
        self.line += [one.encode() for one in (frame, *answers)]
        return answers

    def forget(self) -> None:
        self.rig.advance(LONG_MS)
        self.rig.poll()  # by now the link asks for the chip's status
        self.rig.feed(rig.ACK)


@pytest.fixture(scope="module")
def asked():
    return Asked()


def answer_to(frame: Frame) -> Frame:
    """The answer without its APDU, as 14908 has it."""
    grouped = frame.address == GROUP
    return Frame(
        frame.pdu,
        SUBNET_NODE,
        (5, 9),
        frame.source,
        frame.domain,
        kind=RESPONSE if frame.pdu == SPDU else ACK,
        tid=frame.tid,
        group=frame.group if grouped else None,
        member=NUMBER if grouped else None,
        priority=frame.priority,
        alt_path=frame.alt_path,
    )


def check(frame: Frame, answers: list[Frame]) -> None:
    if frame.pdu == TPDU and frame.kind == UNACKD_RPT:
        assert answers == []
        return
    (answer,) = answers
    assert answer.with_(body=b"") == answer_to(frame)
    assert answer.body[:1] == (b"\x31" if frame.pdu == SPDU else b"")


@pytest.mark.parametrize("domain", DOMAINS, ids=len)
def test_every_address_and_service(asked, domain):
    asked.configure(domain)
    flags = product((False, True), repeat=2)
    for tid, (how, service, (priority, path)) in enumerate(product(ADDRESSES, SERVICES, flags)):
        pdu, kind = SERVICES[service]
        frame = Frame(pdu, source=(1, 5), domain=domain, body=STATUS, kind=kind, tid=tid % 16)
        frame = frame.with_(priority=priority, alt_path=path, **ADDRESSES[how])
        answers = asked.hear(frame)
        check(frame, answers)
        if not path:  # repeated on the other path
            again = asked.hear(frame.with_(alt_path=True))
            assert again == [one.with_(alt_path=True) for one in answers]
        asked.forget()
    for how in ADDRESSES.values():
        assert asked.hear(Frame(APDU, source=(1, 5), domain=domain, body=STATUS, **how)) == []


def test_a_group_is_reminded(asked):
    asked.configure(DOMAINS[2])
    frame = Frame(TPDU, GROUP, (1, 5), group=0x2A, domain=DOMAINS[2], body=STATUS, tid=4)
    check(frame, asked.hear(frame))
    missing, heard = b"\x07\x01", b"\x08"  # NUMBER is bit 3
    again = frame.with_(kind=REM_MSG)
    check(frame, asked.hear(again.with_(members=missing)))
    assert asked.hear(again.with_(members=heard)) == []
    asked.forget()
    check(frame, asked.hear(frame))
    reminder = frame.with_(kind=REMINDER, body=b"")
    check(frame, asked.hear(reminder.with_(members=missing)))
    assert asked.hear(reminder.with_(members=heard)) == []
    assert asked.hear(frame) == []
    asked.forget()


def reply(frame: Frame, challenge: Frame, oma: bool) -> Frame:
    """By somebody who has the keys."""
    data = frame.body
    key = DOMAIN_KEYS if oma else DOMAIN_KEYS[:6]
    if oma:
        place = frame.domain.ljust(6, b"\0") + bytes((len(frame.domain),))
        data = {
            GROUP: place + b"\x2a\xff",
            SUBNET_NODE: place + b"\x05\x09",
            UNIQUE_ID: UID + b"\xff" * 3,
        }[frame.address] + data
    body = authentication(key, challenge.body[:8], data) + challenge.body[8:]
    return challenge.with_(
        source=frame.source, destination=(5, 9), kind=REPLY | oma, body=body, alt_path=False
    )


@pytest.mark.parametrize("oma", [False, True], ids=["48 bit", "OMA"])
def test_every_address_authenticated(asked, oma):
    for domain, how, service in product(DOMAINS, ADDRESSES, SERVICES):
        asked.configure(domain, oma)
        pdu, kind = SERVICES[service]
        frame = Frame(pdu, source=(1, 5), domain=domain, body=STATUS, kind=kind, tid=9, auth=True)
        frame = frame.with_(**ADDRESSES[how])
        answers = asked.hear(frame)
        if frame.address != BROADCAST:
            (challenge,) = answers
            assert (challenge.pdu, challenge.kind) == (AUTH, CHALLENGE | oma)
            assert challenge.auth_format == frame.address and challenge.tid == 9
            assert len(challenge.body) == 8 + (frame.address == GROUP)
            assert asked.hear(frame) == answers  # the same random octets
            answers = asked.hear(reply(frame, challenge, oma))
        check(frame, answers)
        assert asked.rig.node.transport.current.authentic == (frame.address != BROADCAST)
        asked.forget()


def test_mode_2_challenges_nobody():
    asked = Asked(AES_PSK)
    asked.configure(DOMAINS[2])
    frame = Frame(SPDU, SUBNET_NODE, (1, 5), (5, 9), DOMAINS[2], STATUS, tid=9, auth=True)
    check(frame, asked.hear(frame))
    assert not asked.rig.node.transport.current.authentic


@pytest.mark.skipif(not tshark.installed(), reason="tshark is not installed")
def test_tshark_reads_them_all_the_same(tmp_path):
    asked = Asked()
    test_every_address_and_service(asked, DOMAINS[3])
    test_a_group_is_reminded(asked)
    test_every_address_authenticated(asked, oma=False)
    path = tmp_path / "line.pcap"
    with pcap.Writer(path) as capture:
        for lpdu in asked.line:
            capture.write(lpdu, 0)
    assert len(asked.line) > 300
    assert tshark.disagreements(path) == []

"""Rare: network diagnostics 52 for somebody else. Source: `lon.md` 3.

    52 sub address     the agent asks the address `52 sub`, with a number of its own
    32 ..              and passes the answer back; 12: there was none

address, as in an entry of the address table:
    80 + size, 80 * domain + member, repeat 4 | retries 4, receive 4 | transmit 4, group
    01, 80 * domain + node, .., subnet          03, 80 * domain + backlog, .., subnet
    02, 80 * domain, .., subnet, unique id 6
"""

from micropython import const

import rare
from osgp.kernels import copy
from osgp.lon.npdu import BROADCAST, GROUP, SPDU, SUBNET_NODE, UNIQUE_ID
from osgp.lon.outgoing import IDLE, REQUEST
from osgp.lon.transport import LARGEST

_CODE = const(0x52)
_FAILURE = const(0x12)
_AUTHENTICATED = const(0x80)
_FORMS = (None, SUBNET_NODE, UNIQUE_ID, BROADCAST)  # of an entry's first octet


def run(management, buf, a, end, now) -> int:
    """buf[a:end] is sub and address. 0: the answer will come; -1: failure."""
    transport = management.transport
    record = transport.current
    kind = buf[a + 1]
    form = GROUP if kind & 0x80 else _FORMS[kind] if kind < len(_FORMS) else None
    if form is None or end - a != (12 if form == UNIQUE_ID else 6):
        return -1
    domain = buf[a + 2] >> 7
    slot = management.outgoing.slots[record.key[0] >> 7]
    npdu = transport.npdu
    if not npdu.configured or not npdu.domains[domain].used or slot.state != IDLE:
        return -1
    if record is transport.unacked or record.layer != SPDU:
        return 0  # nobody waits for an answer
    node = buf[a + 2] & 0x7F
    slot.size = buf[a + 1] & 0x7F
    slot.backlog = node & 0x3F
    management.outgoing.address(slot, form, domain, buf[a + 5], node, buf, a + 6)
    slot.apdu[0] = _CODE
    slot.apdu[1] = buf[a]
    slot.apdu_n = 2
    slot.auth = _AUTHENTICATED if record.authentic else 0
    slot.path = None
    slot.option = slot.count = 0
    slot.record = record
    slot.serial = record.serial
    number = rare.run("osgp.lon.numbers", management.outgoing, slot, now)
    agent = _Agent(transport)
    management.outgoing.begin(slot, agent, REQUEST, number, buf[a + 3] & 15, buf[a + 4] & 15, now)
    return 0


class _Agent:
    """Takes what comes of it. The slot holds the only reference, and this module with it."""

    def __init__(self, transport):
        self.transport = transport

    def answered(self, slot, buf, a: int, end: int, now: int):
        n = end - a
        if n > LARGEST:
            self.failed(slot, now)
        elif slot.record.serial == slot.serial:
            copy(slot.record.answer, 0, buf, a, end)
            self.transport.answer(slot.record, n, now)
        slot.user = None

    def failed(self, slot, now: int):
        if slot.record.serial == slot.serial:
            slot.record.answer[0] = _FAILURE
            self.transport.answer(slot.record, 1, now)
        slot.user = None

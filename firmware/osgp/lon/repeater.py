"""Directed repeating (LTEP, APDU 4D): this device as repeater and as agent. Source: `lon.md` 3,
profile 16 and 20.

    4D | header 1 | hops to come | retries and timer 1, if there are hops
       | SICB 1 | retries and timer 1 | key delta | address of the target | target's APDU
    header: uniform by destination, long timer, all agents, uniform by source, hops (4 bits)
    hop: subnet 1 (not if uniform), path << 7 | node 1
    SICB: target type 3, path 1, service 2, mode 2

With hops to come the message goes on to the first of them, with the service by which it came;
without, this node is the agent and sends the target its APDU. The answer goes back as it is, with
the same transaction number each hop. 4D: served, without an answer. 4C, hops to come: it came to
nothing; with bit 7 set (by profile) because this node was repeating for somebody else.
"""

from micropython import const

import rare
import ticks
from osgp.kernels import copy
from osgp.lon.npdu import BROADCAST, GROUP, SPDU, SUBNET_NODE
from osgp.lon.outgoing import ACKD, IDLE, REQUEST, UNACKD, UNACKD_RPT
from osgp.lon.transport import LARGEST, LONGEST_MS
from osgp.membership import CONFIGURED

CODE = const(0x4D)
FAILED = const(0x4C)
BUSY = const(0x80)

_BY_DESTINATION = const(0x80)
_LONG_TIMER = const(0x40)
_ALL_AGENTS = const(0x20)
_BY_SOURCE = const(0x10)
_COUNT = const(0x0F)
_PATH = const(0x80)

_ALTERNATE_KEY = const(2)  # a mode
_OPTIONS = b"\x00\x08\x00\x04"  # of the link: normal, zero-cross, alternate key, attenuated

# by target type: group with size, subnet/node, subnet and unique id, broadcast with backlog,
# group, node in the source's subnet, unique id, node in our own subnet
_SIZES = b"\x02\x02\x07\x02\x01\x01\x06\x01"
_FORMATS = b"\x01\x02\x03\x00\x01\x02\x03\x02"  # GROUP, SUBNET_NODE, UNIQUE_ID, BROADCAST ...
_GROUP_AND_SIZE = const(0)
_NODE_OF_SOURCE = const(5)
_UNIQUE_ID_ALONE = const(6)
_NODE_OF_OWN = const(7)


class Repeater:
    """One message at a time in each priority space."""

    def __init__(self, member, npdu, transport, outgoing):
        self.member = member
        self.npdu = npdu
        self.transport = transport
        self.outgoing = outgoing
        self.forwarded = self.acted = self.refused = self.malformed = self.late = 0

    def request(self, buf, a: int, end: int, out, o: int, now: int) -> int:
        """Pass on the message buf[a:end]; its answer comes later, but a refusal at out[o:] now."""
        if end - a < 5 or self.member.state != CONFIGURED:
            return o  # the shortest that can be: 4D, header, SICB, timing, node; and then an APDU
        npdu = self.npdu
        slot = self.outgoing.slots[npdu.priority >> 7]
        record = self.transport.current
        count = buf[a + 1] & _COUNT
        # One from whom a message is under way has given it up when he sends another.
        if slot.state == IDLE or (slot.user is self and slot.record is record):
            slot.state = IDLE
            slot.record = record
            slot.serial = record.serial
            slot.count = count
            slot.auth = 0x80 if record.authentic else 0
            record.until = ticks.add(now, LONGEST_MS)
            domain = npdu.domain
            if domain > 1 or not npdu.domains[domain].node:
                domain = 0  # of the flexible one, and of that for discovery, which has no nodes
            if count:
                passed = self._forward(slot, buf, a, end, domain, now)
            else:
                passed = self.act(slot, buf, a + 2, end, domain, now)
            if passed:
                return o
            self.malformed += 1
        else:
            self.refused += 1
            count |= BUSY
        out[o] = FAILED
        out[o + 1] = count
        return o + 2

    def _forward(self, slot, buf, a, end, domain, now) -> bool:
        """As a repeater: take the first hop off, send the rest to it."""
        header = buf[a + 1]
        count = (header & _COUNT) - 1
        size = 1 if header & (_BY_DESTINATION | _BY_SOURCE) else 2
        rest = a + 2 + size
        timing = rest + size * count
        if end - timing < 5:
            return False
        subnet = buf[a + 2]
        if header & _BY_SOURCE:
            subnet = self.npdu.source_subnet
        elif size == 1:
            subnet = self.npdu.domains[domain].subnet
        hop = buf[rest - 1]
        if not self.outgoing.address(slot, SUBNET_NODE, domain, subnet, hop & 0x7F):
            return False
        # With the last hop the timing between hops goes, too.
        at = rest if count else timing + 1
        slot.apdu[0] = CODE
        slot.apdu[1] = header - 1
        copy(slot.apdu, 2, buf, at, end)
        slot.apdu_n = 2 + end - at
        slot.path = (hop & _PATH) >> 1
        slot.option = 0
        record = slot.record
        if record is self.transport.unacked:
            service = UNACKD
        elif record.layer == SPDU:
            service = REQUEST
        else:
            service = ACKD if record.answered else UNACKD_RPT
        code = buf[timing] & 0x0F | (header & _LONG_TIMER) >> 2
        self.outgoing.begin(slot, self, service, record.tid, buf[timing] >> 4, code, now)
        # The failure of the last hop is to be heard before those before it give up.
        slot.last_wait = 256 if code < 8 else 256 * count if code < 10 else 512 * count
        if header & _ALL_AGENTS:
            rare.run("osgp.lon.all_agents", self, slot, buf, timing + 1, end, domain, now)
        self.forwarded += 1
        return True

    def act(self, slot, buf, at: int, end: int, domain: int, now: int) -> bool:
        """As the agent: send the target what follows the SICB at buf[at:]. False: there is nothing
        to send, or no such target."""
        sicb = buf[at]
        timing = buf[at + 1]
        at += 2
        if sicb & 3 == _ALTERNATE_KEY and at < end:
            at += 13 if buf[at] & 3 == 1 else 7
        kind = sicb >> 5
        after = at + _SIZES[kind]
        if after >= end:
            return False
        form = _FORMATS[kind]
        subnet = buf[at]
        node = buf[after - 1] & 0x7F
        if kind == _UNIQUE_ID_ALONE:
            subnet = 0
        elif kind == _NODE_OF_SOURCE:
            subnet = self.npdu.source_subnet
        elif kind == _NODE_OF_OWN:
            subnet = self.npdu.domains[domain].subnet
        elif form == BROADCAST:
            slot.backlog = node
        elif form == GROUP:
            slot.size = node if kind == _GROUP_AND_SIZE else 0
        if not self.outgoing.address(slot, form, domain, subnet, node, buf, after - 6):
            return False
        copy(slot.apdu, 0, buf, after, end)
        slot.apdu_n = end - after
        slot.path = (sicb & 0x10) << 2
        slot.option = _OPTIONS[sicb & 3]
        tid = slot.record.tid
        if slot.record is self.transport.unacked:  # which has none
            tid = rare.run("osgp.lon.numbers", self.outgoing, slot, now)
        self.outgoing.begin(slot, self, sicb >> 2 & 3, tid, timing >> 4, timing & 0x0F, now)
        self.acted += 1
        return True

    # ---- told by Outgoing

    def answered(self, slot, buf, a: int, end: int, now: int):
        """Pass the answer back."""
        record = slot.record
        if record.serial != slot.serial:
            self.late += 1
            return
        n = end - a
        if n > LARGEST:
            self.failed(slot, now)
            return
        if slot.count == 0 and slot.service != REQUEST:
            record.answer[0] = CODE
            n = 1
        else:
            copy(record.answer, 0, buf, a, end)
        self.transport.answer(record, n, now)

    def failed(self, slot, now: int):
        """Say how far it came."""
        record = slot.record
        if record.serial == slot.serial:
            record.answer[0] = FAILED
            record.answer[1] = slot.count
            self.transport.answer(record, 2, now)

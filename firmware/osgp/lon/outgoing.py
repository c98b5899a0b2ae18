"""ISO/IEC 14908-1 layers 4 and 5, the sending side: this node's own transactions.

One may be outstanding in the non-priority space and one in the priority space; each has its slot,
made at start. Source: `lon.md` 2.

Whoever wants something sent takes the `slot` of its space, which must be idle, puts the APDU into
`slot.apdu`, says by `address` to whom and by `begin` how. It is told by `answered(slot, buf, a,
end, now)`, where buf[a:end] is the response (nothing: acknowledged, or sent as often as asked), or
by `failed(slot, now)` when the last try has passed.
"""

from micropython import const

import rare
import ticks
from osgp.kernels import copy, equal
from osgp.lon.npdu import APDU, AUTH, BROADCAST, GROUP, SPDU, SUBNET_NODE, TPDU, UNIQUE_ID
from osgp.lon.transport import LARGEST, LONGEST_MS

ACKD = const(0)  # services, numbered as in an LTEP message
UNACKD_RPT = const(1)
UNACKD = const(2)
REQUEST = const(3)

_HEADER = const(17)  # octets of an LPDU before its PDU at most
_CODES = b"\x00\x01\x00\x02\x00\x00\x03"  # domain length code by length
_ALT_PATH = const(0x40)
_MEMBERS = const(8)  # octets of a list of group members


# what a slot is doing
IDLE = const(0)
_SENDING = const(1)  # a frame waits for the transceiver
_WAITING = const(2)


class Slot:
    """One transaction. Its user may read everything, and keeps `count` for itself."""

    def __init__(self, priority: int):
        self.priority = priority  # the bit of the L2HDR
        self.header = bytearray(_HEADER)
        self.header_n = 0
        self.apdu = bytearray(LARGEST)
        self.apdu_n = 0
        self.state = IDLE
        self.user = None
        self.record = None  # the received message for which this is sent; it is kept meanwhile
        self.serial = 0  # of the record, when this began
        self.count = 0
        self.number = -1  # the last transaction number of our own
        self.service = self.tid = self.auth = 0
        self.format = self.domain = 0
        self.path = None  # L2HDR bit: that one always; None: alternate for the last two tries
        self.backlog = 0  # answers that the channel is to expect
        self.size = 0  # members of the group that acknowledge
        self.members = bytearray(_MEMBERS)  # M_LIST: who has
        self.kind = 0  # TPDU or SPDU type, in its place
        self.list = None  # octets between the TPDU's or SPDU's first and the APDU (REM/MSG)
        self.option = 0  # of the link
        self.retries = self.sent = 0  # tries left after this one; tries made
        self.timer = self.last_wait = 0  # ms after each try; more of them after the last
        self.due = 0
        self.ahead = None  # a whole LPDU that goes first, made by a rare module


class Outgoing:
    """The two slots over one Npdu; `slots[1]` is the priority space."""

    def __init__(self, npdu, transport):
        self.npdu = npdu
        self.transport = transport
        self.slots: tuple = (Slot(0), Slot(0x80))
        self.numbers = None  # last ones of destinations, kept by the rare module numbers
        self.option = 0  # of the frame just built
        self.begun = self.failures = self.stray = 0

    def address(
        self, slot, form: int, domain: int, subnet: int, node: int, buf=None, at: int = 0
    ) -> bool:
        """To whom: `subnet` is a GROUP's number; buf[at:at + 6] is a UNIQUE_ID. To be set before:
        `size` of a group, `backlog` of a broadcast. False: to nobody, or to this node itself."""
        npdu = self.npdu
        entry = npdu.domains[domain]
        header = slot.header
        slot.format = form
        slot.domain = domain
        header[1] = form << 2 | _CODES[entry.length]
        header[2] = entry.subnet
        header[3] = 0x80 | entry.node
        header[4] = subnet
        n = 5
        if form == SUBNET_NODE:
            header[5] = 0x80 | node
            n = 6
            if not (subnet and node) or (subnet == entry.subnet and node == entry.node):
                return False
        elif form == UNIQUE_ID:
            copy(header, 5, buf, at, at + 6)
            n = 11
            if equal(header, 5, npdu.uid, 0, 6):
                return False
        if form == GROUP:
            slot.backlog = slot.size
        elif form != BROADCAST:
            slot.backlog = 1
        copy(header, n, entry.id, 0, entry.length)
        slot.header_n = n + entry.length
        return True

    def begin(self, slot, user, service: int, tid: int, retries: int, code: int, now: int):
        """Send slot.apdu[:apdu_n]. `code`: transmit timer 0..31, from 16 on the long ones. To be
        set before, or it is as the last transaction left it: auth, path, option, record."""
        slot.user = user
        slot.service = service
        slot.tid = tid
        slot.retries = retries if service != UNACKD else 0
        slot.timer = (2 + (code & 1)) << (code >> 1) + 3
        slot.sent = slot.last_wait = 0
        slot.kind = UNACKD_RPT << 4 if service == UNACKD_RPT else 0
        slot.list = slot.ahead = None
        slot.state = _SENDING
        slot.due = now
        pdu = SPDU if service == REQUEST else TPDU
        slot.header[1] = slot.header[1] & 0x0F | (APDU if service == UNACKD else pdu) << 4
        if slot.format == GROUP:
            for k in range(_MEMBERS):
                slot.members[k] = 0
        self.begun += 1

    # ---- frames out

    def build(self, out, o: int, now: int) -> int:
        """Build the next LPDU that is due (no CRC) at out[o:]; return its end, 0 for none."""
        for slot in self.slots:
            if slot.state == IDLE or self.transport.silent(now):
                continue
            if slot.state == _WAITING and ticks.diff(slot.due, now) <= 0:
                if slot.retries == 0:
                    slot.state = IDLE
                    self.failures += 1
                    slot.user.failed(slot, now)
                    continue
                slot.retries -= 1
                slot.state = _SENDING
                if slot.format == GROUP and slot.service != UNACKD_RPT:
                    rare.run("osgp.lon.reminder", slot)
            if slot.ahead is not None:
                end = o + len(slot.ahead)
                copy(out, o, slot.ahead, 0, end - o)
                slot.ahead = None
                self.option = 0
                return end
            if slot.state == _SENDING:
                return self._send(slot, out, o, now)
        return 0

    def _send(self, slot, out, o, now):
        service = slot.service
        backlog = slot.backlog  # how many answers the channel is to expect
        if service == UNACKD_RPT:
            backlog = 0 if slot.sent else slot.retries
        elif service == UNACKD or (slot.sent > 1 and slot.format >= SUBNET_NODE):
            backlog = 0
        path = slot.path
        if path is None:  # the second carrier for the last two tries
            last = slot.sent and slot.retries < 2 and service != UNACKD_RPT
            path = _ALT_PATH if last else 0
        slot.header[0] = slot.priority | path | backlog & 0x3F
        end = o + slot.header_n
        copy(out, o, slot.header, 0, slot.header_n)
        if service != UNACKD:
            out[end] = slot.auth | slot.kind | slot.tid
            end += 1
            if slot.list is not None:
                copy(out, end, slot.list, 0, len(slot.list))
                end += len(slot.list)
        copy(out, end, slot.apdu, 0, slot.apdu_n)
        slot.sent += 1
        self.option = slot.option
        slot.due = ticks.add(now, slot.timer if slot.retries else slot.timer + slot.last_wait)
        slot.state = _WAITING
        record = slot.record
        if record is not None and record.serial == slot.serial:
            record.until = ticks.add(now, LONGEST_MS)
        if service == UNACKD or (service == UNACKD_RPT and not slot.retries):
            slot.state = IDLE  # nothing is to come
            slot.user.answered(slot, slot.apdu, 0, 0, now)
        return end + slot.apdu_n

    def due(self, now: int) -> int:
        """The tick at which sending is worth another try."""
        due = None
        for slot in self.slots:
            if slot.state == IDLE:
                continue
            at = slot.due if slot.ahead is None else now
            if due is None or ticks.diff(at, due) < 0:
                due = at
        return ticks.add(now, ticks.FAR) if due is None else self.transport.after_silence(due)

    # ---- answers in

    def receive(self, buf, now: int):
        """Take the acknowledgement, response or challenge that the Npdu has just parsed.

        From 00/80 it may be anybody's: a node answers so that has no address in the domain, and
        always to some questions.
        """
        npdu = self.npdu
        slot = self.slots[npdu.priority >> 7]
        header = slot.header
        wrong = buf[npdu.body] & 0x0F != slot.tid or npdu.domain != slot.domain
        if slot.format == SUBNET_NODE and npdu.source_node:
            asked = npdu.source_subnet == header[4] and npdu.source_node == header[5] & 0x7F
            wrong = wrong or not asked
        if wrong or slot.state == IDLE or not slot.sent:
            self.stray += 1
            return
        a = npdu.body + 1
        if npdu.pdu == AUTH:
            rare.run("osgp.lon.reply", self, slot, buf)
            return
        if npdu.pdu == TPDU:
            a = npdu.end
            group = slot.format == GROUP and slot.service == ACKD
            if group and not rare.load("osgp.lon.reminder").acknowledged(slot, npdu):
                return
        if slot.service == (ACKD if npdu.pdu == TPDU else REQUEST):
            slot.state = IDLE
            slot.user.answered(slot, buf, a, npdu.end, now)

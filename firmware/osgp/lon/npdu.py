"""ISO/IEC 14908-1 layer 3: the NPDU, read in place and built in place. Source: `lon.md` 1 and 2.

LPDU = L2HDR | header | source subnet, node | destination | domain (0, 1, 3, 6) | PDU | CRC-16
header = version(2) PDU type(2) address format(2) domain length code(2)
"""

from micropython import const

from osgp.kernels import copy, crc16, equal

TPDU = const(0)
SPDU = const(1)
AUTH = const(2)
APDU = const(3)

BROADCAST = const(0)
GROUP = const(1)
SUBNET_NODE = const(2)
UNIQUE_ID = const(3)
MEMBER = const(4)  # 2b, a group's member answers; on the line its number is SUBNET_NODE's

ATTENUATE = const(0x04)  # options of a frame for the link
ZERO_CROSS = const(0x08)

FLEXIBLE = const(0xFF)  # in place of a domain index: a domain that is in no entry
_SHORTEST = const(8)  # octets of an LPDU, CRC included
_LENGTHS = b"\x00\x01\x03\x06"
HEADER = const(16)  # octets of an LPDU before its PDU at most
_ANSWER = const(2)  # kind of a TPDU or SPDU: ACK, RESPONSE
_ENTRY = const(5)  # octets of an address table entry
_GROUP_ENTRY = const(0x80)


class Npdu:
    """The frame at hand, and which frames are for this node.

    After `parse` was true: `priority`, `alt_path`, `pdu`, `format`, `domain` (index or FLEXIBLE),
    `source_subnet`, `source_node`, and buf[body:end] is the PDU. `destination` is the subnet of a
    BROADCAST, the number of a GROUP, of which this node is number `member` and keeps a message for
    receive timer code `timer`; of a MEMBER `destination` is its group and `member` its number; of
    a UNIQUE_ID it is a check of the domain's octets. They hold until the next `parse`.
    """

    def __init__(self, domains, addresses, uid):
        """`domains`: two entries with `used`, `id` (6 octets), `length`, `subnet`, `node`.
        `addresses`: the address table, entries of 5 octets. `uid`: 6 octets. All are live."""
        self.domains = domains
        self.addresses = addresses
        self.uid = uid
        self.configured = False  # set by whoever keeps the node state
        self.priority = self.alt_path = 0
        self.pdu = self.format = 0
        self.domain = FLEXIBLE
        self.source_subnet = self.source_node = 0
        self.destination = self.member = self.timer = 0
        self.body = self.end = 0
        self._domain_at = self._domain_code = 0
        self.crc_errors = self.not_ours = self.malformed = 0

    def parse(self, buf, a: int, end: int, verified: bool = False) -> bool:
        """Is buf[a:end], an LPDU with its CRC, sound and for this node? `verified`: the CRC has
        been found right already."""
        at = end - 2
        if end - a < _SHORTEST or not (
            verified or crc16(buf, a, at) == buf[at] << 8 | buf[at + 1]
        ):
            self.crc_errors += 1  # 14908 counts what is too short as a CRC error
            return False
        header = buf[a + 1]
        self.priority = buf[a] & 0x80
        self.alt_path = buf[a] & 0x40
        self.pdu = header >> 4 & 3
        self.format = header >> 2 & 3
        self.source_subnet = buf[a + 2]
        self.source_node = buf[a + 3] & 0x7F
        self.end = at
        if header >> 6 or not self._place(buf, a, header & 3):
            self.malformed += 1
            return False
        if self._is_ours(buf, a + 4):
            return True
        self.not_ours += 1
        return False

    def _place(self, buf, a, code) -> bool:
        """Find domain and body."""
        form = self.format
        if form == SUBNET_NODE:
            at = a + 6
            if not buf[a + 3] & 0x80:
                self.format = MEMBER
                at = a + 8
        elif form == UNIQUE_ID:
            at = a + 11
        else:
            at = a + 5
        self._domain_at = at
        self._domain_code = code
        self.body = at + _LENGTHS[code]
        if self.body >= self.end:
            return False
        self.domain = self._find_domain(buf)
        return True

    def _find_domain(self, buf) -> int:
        if self._is_in(self.domains[0], buf):
            return 0
        return 1 if self._is_in(self.domains[1], buf) else FLEXIBLE

    def _is_in(self, entry, buf) -> bool:
        n = self.body - self._domain_at
        return entry.used and entry.length == n and equal(entry.id, 0, buf, self._domain_at, n)

    def _is_ours(self, buf, to) -> bool:
        form = self.format
        if form == UNIQUE_ID:
            self.destination = crc16(buf, self._domain_at, self.body) & 0xFF
            return equal(self.uid, 0, buf, to + 1, 6)
        if form <= GROUP:
            self.destination = buf[to]
        if not self.configured:
            return form == BROADCAST
        if self.domain == FLEXIBLE:
            return False
        entry = self.domains[self.domain]
        if entry.subnet and entry.subnet == self.source_subnet and entry.node == self.source_node:
            return False  # our own frame, come back
        if form == BROADCAST:
            return buf[to] == 0 or buf[to] == entry.subnet
        if form == GROUP:
            return self._is_member(buf[to])
        # the discovery domain has no addresses
        if not entry.node or buf[to] != entry.subnet or buf[to + 1] != 0x80 | entry.node:
            return False
        return form == SUBNET_NODE or self._is_answer(buf, to)

    def _is_member(self, group) -> bool:
        """Is the group in the address table? Of several entries the longest timer holds."""
        table = self.addresses
        self.timer = -1
        for at in range(0, len(table), _ENTRY):
            known = table[at] & _GROUP_ENTRY and table[at + 4] == group
            if known and table[at + 1] >> 7 == self.domain:
                self.member = table[at + 1] & 0x3F
                self.timer = max(self.timer, table[at + 3] >> 4)
        return self.timer >= 0

    def _is_answer(self, buf, to) -> bool:
        """What comes from a MEMBER can only be an ACK or a RESPONSE."""
        self.destination = buf[to + 2]
        self.member = buf[to + 3]
        return self.pdu <= SPDU and buf[self.body] >> 4 & 7 == _ANSWER

    def answer_header(self, buf, out) -> int:
        """Build in out[0:] the L2HDR and NPDU header of an answer to the frame just parsed from
        `buf`; return its length. The PDU type is left as the request's."""
        out[0] = self.priority | self.alt_path
        out[1] = self.pdu << 4 | SUBNET_NODE << 2 | self._domain_code
        out[2] = 0
        out[3] = 0x80
        if self.domain != FLEXIBLE and self.configured:
            out[2] = self.domains[self.domain].subnet
            out[3] = 0x80 | self.domains[self.domain].node
        out[4] = self.source_subnet
        out[5] = 0x80 | self.source_node
        at = 6
        if self.format == GROUP:
            out[3] &= 0x7F  # 2b
            out[6] = self.destination
            out[7] = self.member
            at = 8
        copy(out, at, buf, self._domain_at, self.body)
        return at + self.body - self._domain_at

"""ISO/IEC 14908-1 frames as the host sees them: one dataclass, to bytes and back.

The device has its own, in place and without allocation (`osgp/lon/npdu.py`). This one is written
apart from it, for reading, so that each can prove the other; tshark is the third.

    LPDU = L2HDR(1) | NPDU header(1) | source subnet, node | destination | domain (0, 1, 3, 6) |
    PDU | CRC-16(2)
"""

import binascii
from dataclasses import dataclass, field, replace

# PDU types, NPDU header bits 5-4
TPDU, SPDU, AUTH, APDU = range(4)
# address formats, NPDU header bits 3-2; 2b (the answer to a group message) is told by `group`
# being set
BROADCAST, GROUP, SUBNET_NODE, UNIQUE_ID = range(4)
# TPDU and SPDU types
ACKD = REQUEST = 0
UNACKD_RPT = 1
ACK = RESPONSE = 2
REMINDER, REM_MSG = 4, 5
CHALLENGE, REPLY = 0, 2

DOMAIN_LENGTHS = (0, 1, 3, 6)
SHORTEST = 8  # octets of an LPDU, CRC included


class FrameError(ValueError):
    """These octets are not a frame; the text says at which check they fell."""


def crc16(data: bytes) -> int:
    """CRC-16/GENIBUS: polynomial 1021, start FFFF, most significant bit first, inverted."""
    return binascii.crc_hqx(data, 0xFFFF) ^ 0xFFFF


@dataclass(frozen=True)
class Frame:
    """One LPDU, taken apart. `tid` and `kind` (TPDU, SPDU or AuthPDU type) mean nothing in an APDU
    frame."""

    pdu: int = SPDU
    address: int = SUBNET_NODE
    source: tuple[int, int] = (0, 0)
    destination: tuple[int, int] = (0, 0)  # subnet, node; broadcast and unique id: subnet only
    domain: bytes = b""
    body: bytes = b""  # the APDU; of an AuthPDU its 8 octets (and the group)
    kind: int = REQUEST
    tid: int = 0
    auth: bool = False
    group: int | None = None
    member: int | None = None  # set with `group` in format 2b only
    unique_id: bytes = b""
    members: bytes = b""  # M_LIST of REMINDER and REM_MSG
    auth_format: int = 0  # of an AuthPDU: the address format of the original message
    priority: bool = False
    alt_path: bool = False
    delta_backlog: int = 0

    def with_(self, **changes) -> "Frame":
        return replace(self, **changes)

    def encode(self) -> bytes:
        """The LPDU with its CRC."""
        out = bytearray()
        out.append(self.priority << 7 | self.alt_path << 6 | self.delta_backlog)
        out.append(self.pdu << 4 | self.address << 2 | DOMAIN_LENGTHS.index(len(self.domain)))
        subnet, node = self.source
        answer_to_group = self.address == SUBNET_NODE and self.group is not None
        out += bytes((subnet, node if answer_to_group else 0x80 | node))
        out += self._destination() + self.domain + self._pdu()
        return bytes(out) + crc16(bytes(out)).to_bytes(2, "big")

    def _destination(self) -> bytes:
        subnet, node = self.destination
        if self.address == BROADCAST:
            return bytes((subnet,))
        if self.address == GROUP:
            assert self.group is not None
            return bytes((self.group,))
        if self.address == UNIQUE_ID:
            return bytes((subnet,)) + self.unique_id
        plain = bytes((subnet, 0x80 | node))
        return plain if self.group is None else plain + bytes((self.group, self.member or 0))

    def _pdu(self) -> bytes:
        if self.pdu == APDU:
            return self.body
        if self.pdu == AUTH:
            return bytes((self.auth_format << 6 | self.kind << 4 | self.tid,)) + self.body
        header = bytes((self.auth << 7 | self.kind << 4 | self.tid,))
        if self.kind in (REMINDER, REM_MSG):
            header += bytes((len(self.members),)) + self.members
        return header + self.body


@dataclass
class _Reader:
    data: bytes
    at: int = field(default=0)

    def take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise FrameError("cut short")
        self.at += count
        return piece

    def octet(self) -> int:
        return self.take(1)[0]


def decode(lpdu: bytes) -> Frame:
    """A frame out of an LPDU with its CRC. Raises FrameError."""
    if len(lpdu) < SHORTEST:
        raise FrameError(f"{len(lpdu)} octets: shorter than any frame")
    if crc16(lpdu[:-2]) != int.from_bytes(lpdu[-2:], "big"):
        raise FrameError("CRC")
    reader = _Reader(lpdu[:-2])
    link, header = reader.octet(), reader.octet()
    if header >> 6:
        raise FrameError(f"protocol version {header >> 6}")
    parts: dict = {
        "priority": bool(link & 0x80),
        "alt_path": bool(link & 0x40),
        "delta_backlog": link & 0x3F,
    }
    parts |= {"pdu": header >> 4 & 3, "address": header >> 2 & 3}
    subnet, node = reader.take(2)
    parts["source"] = (subnet, node & 0x7F)
    parts |= _decode_destination(reader, parts["address"], node)
    parts["domain"] = reader.take(DOMAIN_LENGTHS[header & 3])
    parts |= _decode_pdu(reader, parts["pdu"])
    return Frame(**parts, body=reader.data[reader.at :])


def _decode_destination(reader: _Reader, address: int, source_node: int) -> dict:
    first = reader.octet()
    if address == BROADCAST:
        return {"destination": (first, 0)}
    if address == GROUP:
        return {"group": first}
    if address == UNIQUE_ID:
        return {"destination": (first, 0), "unique_id": reader.take(6)}
    parts: dict = {"destination": (first, reader.octet() & 0x7F)}
    if not source_node & 0x80:
        parts["group"], parts["member"] = reader.take(2)
    return parts


def _decode_pdu(reader: _Reader, pdu: int) -> dict:
    if pdu == APDU:
        return {}
    header = reader.octet()
    if pdu == AUTH:
        return {"auth_format": header >> 6, "kind": header >> 4 & 3, "tid": header & 0x0F}
    parts = {"auth": bool(header & 0x80), "kind": header >> 4 & 7, "tid": header & 0x0F}
    if parts["kind"] in (REMINDER, REM_MSG):
        parts["members"] = reader.take(reader.octet())
    return parts

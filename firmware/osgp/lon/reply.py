"""Rare: the reply to a challenge of a message of ours. Source: `lon.md` 2 and 3.

The other side, with the AuthPDU, is in authentication.py. What an agent sends for others is
answered for with its own key, or, in LTEP's mode 2, with the sum of that and what the message
brought along.
"""

from micropython import const

import rare
from osgp.lon.npdu import AUTH, GROUP, SUBNET_NODE, UNIQUE_ID
from osgp.membership import KEYS

_AES = const(2)  # security mode: there this is off (profile 9)
_RANDOM = const(8)
_KEY = const(6)
_OMA = const(0x10)  # in an AuthPDU's header
_REPLY = const(0x20)
_REPEAT = const(0x4D)


def run(outgoing, slot, buf):
    """buf[npdu.body:npdu.end] is the AuthPDU that answers `slot`."""
    npdu = outgoing.npdu
    member = outgoing.transport.member
    octet = buf[npdu.body]
    group = slot.format == GROUP
    if npdu.end - npdu.body != 1 + _RANDOM + group or octet >> 6 != slot.format:
        return
    key = _key(member, slot, octet & _OMA)
    if member.mode == _AES or not any(key):
        return
    data = bytes(slot.apdu[: slot.apdu_n])
    if octet & _OMA:
        data = _address(npdu, slot) + data
    random = buf[npdu.body + 1 : npdu.body + 1 + _RANDOM]
    proof = rare.run("osgp.security.digest", key, random, data)
    slot.ahead = _head(npdu, slot) + bytes((octet | _REPLY,)) + proof
    if group:
        slot.ahead += slot.header[4:5]


def _key(member, slot, oma) -> bytearray:
    """That of the domain, or of both; what the message to repeat brought is added."""
    at = KEYS if oma else KEYS + _KEY * slot.domain
    key = bytearray(member.image[at : at + 2 * _KEY if oma else at + _KEY])
    record = slot.record
    if record is None or record.serial != slot.serial or slot.count:
        return key
    message = record.apdu
    if message[0] == _REPEAT and message[2] & 3 == 2:
        n = 2 * _KEY if message[4] & 3 == 1 else _KEY
        for k in range(min(n, len(key))):
            key[k] = key[k] + message[5 + k] & 0xFF
    return key


def _address(npdu, slot) -> bytes:
    """The OMA address: where the message was sent, as it was addressed (9 octets)."""
    header = slot.header
    if slot.format == UNIQUE_ID:
        return bytes(header[5:11]) + b"\xff\xff\xff"
    entry = npdu.domains[slot.domain]
    last = header[5] & 0x7F if slot.format == SUBNET_NODE else 0xFF
    domain = bytes(entry.id[: entry.length]) + bytes(6 - entry.length)
    return domain + bytes((entry.length, header[4], last))


def _head(npdu, slot) -> bytearray:
    """Down to the PDU: to the challenger, by unique id if he has no address."""
    header = slot.header
    entry = npdu.domains[slot.domain]
    lpdu = bytearray(header[:4])
    lpdu[0] = npdu.priority | npdu.alt_path
    if npdu.source_node or slot.format != UNIQUE_ID:
        lpdu[1] = SUBNET_NODE << 2 | header[1] & 3
        lpdu += bytes((npdu.source_subnet, 0x80 | npdu.source_node))
    else:
        lpdu[1] = UNIQUE_ID << 2 | header[1] & 3
        lpdu += header[4:11]
    lpdu[1] |= AUTH << 4
    return lpdu + entry.id[: entry.length]

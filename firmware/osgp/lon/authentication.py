"""Rare: challenge and reply of ISO/IEC 14908-1, the challenger's side. Source: `lon.md` 2.

AuthPDU = header | random or reply (8) | group, if the message was sent to one
header = address format of the message(2) type(2) transaction(4)
type: 0 CHALLENGE, 1 CHALLENGE-OMA, 2 REPLY, 3 REPLY-OMA

The function is weak (`security/digest.py`), and nothing of OSGP relies on it. Nobody is challenged
whose key was never set, nor in security mode 2 (profile 9), nor in a domain that is in no entry,
nor for a broadcast: such a message is delivered as one that is not authentic.
"""

from micropython import const

import rare
from osgp.kernels import copy, crc16, equal
from osgp.lon.npdu import AUTH, BROADCAST, FLEXIBLE, GROUP, SUBNET_NODE, TPDU, UNIQUE_ID
from osgp.membership import KEYS

_AES = const(2)  # security mode
_KEY = const(6)
_RANDOM = const(8)
_KIND = const(0x18)  # of authentication, in the entry's flags
_OMA_KIND = const(0x08)
_OMA = const(0x10)  # in an AuthPDU's header
_REPLY = const(0x20)


def run(transport, record, buf, now):
    """`record`: a message that asks for authentication; True: it is challenged. None: buf holds a
    REPLY; what it makes deliverable is returned as `Transport.receive` does."""
    if record is None:
        return _reply(transport, buf, now)
    return _challenge(transport, record)


def _is_oma(member) -> bool:
    """Open media authentication, said by the first domain entry for both."""
    return member.image[2] & _KIND == _OMA_KIND


def _key(member, domain):
    """The key, None if there is none. OMA: of both domains together."""
    at = KEYS
    n = 2 * _KEY
    if not _is_oma(member):
        n = _KEY
        at += _KEY * domain
    key = member.image[at : at + n]
    return key if any(key) else None


def _challenge(transport, record) -> bool:
    member = transport.member
    form = record.key[2]
    domain = transport.npdu.domain
    if not transport.npdu.configured or domain == FLEXIBLE or form == BROADCAST:
        return False
    if member.mode == _AES or _key(member, domain) is None:
        return False
    header = record.header
    lpdu = bytearray(header[: record.header_n])
    lpdu[1] = AUTH << 4 | SUBNET_NODE << 2 | header[1] & 3
    if form == GROUP:  # 2b becomes 2a, and the group goes into the PDU
        lpdu = lpdu[:6] + lpdu[8:]
        lpdu[3] |= 0x80
    oma = _OMA if _is_oma(member) else 0
    lpdu += bytes((form << 6 | oma | record.tid,)) + transport.random(_RANDOM)
    if form == GROUP:
        lpdu += record.key[5:6]
    record.challenge = lpdu
    transport.make_due(record)
    return True


def _reply(transport, buf, now):
    record = _challenged(transport, buf, now)
    if record is None:
        transport.unsupported += 1
        return None
    npdu = transport.npdu
    expected = _expected(transport.member, record, npdu)
    record.authentic = equal(expected, 0, buf, npdu.body + 1, _RANDOM)
    record.challenge = None
    transport.hold(record)
    if record.layer == TPDU and record.answered:
        transport.make_due(record)
    # What follows sees the message: its layer and address, and it itself where the REPLY was.
    npdu.pdu = record.layer
    npdu.format = record.key[2]
    npdu.destination = record.key[5]
    npdu.end = record.apdu_n
    copy(buf, 0, record.apdu, 0, record.apdu_n)
    transport.current = record
    return record


def _challenged(transport, buf, now):
    """The record that waits for this REPLY, None if there is none."""
    npdu = transport.npdu
    header = buf[npdu.body]
    form = header >> 6
    group = form == GROUP
    if npdu.end - npdu.body != 1 + _RANDOM + group or npdu.domain == FLEXIBLE:
        return None
    key = bytearray((npdu.priority, npdu.domain, form, npdu.source_subnet, npdu.source_node, 0))
    if group:
        key[5] = buf[npdu.end - 1]
    elif form == UNIQUE_ID:  # its record has the domain's octets in place of its index
        entry = npdu.domains[npdu.domain]
        key[1] = FLEXIBLE
        key[5] = crc16(entry.id, 0, entry.length) & 0xFF
    for record in transport.records:
        if record.challenge and record.key == key and not transport.is_over(record, now):
            asked = record.challenge[-1 - _RANDOM - group]
            return record if asked | _REPLY == header else None
    return None


def _expected(member, record, npdu) -> bytes:
    """What a REPLY carries from somebody who has the key."""
    group = record.key[2] == GROUP
    end = len(record.challenge) - group
    data = bytes(record.apdu[: record.apdu_n])
    if _is_oma(member):
        data = _address(record, npdu) + data
    random = record.challenge[end - _RANDOM : end]
    return rare.run("osgp.security.digest", _key(member, npdu.domain), random, data)


def _address(record, npdu) -> bytes:
    """The OMA address: where the message was sent, as it was addressed (9 octets)."""
    form = record.key[2]
    if form == UNIQUE_ID:
        return bytes(npdu.uid) + b"\xff\xff\xff"
    entry = npdu.domains[npdu.domain]
    if form == GROUP:
        last = record.key[5:6] + b"\xff"
    else:
        last = bytes((entry.subnet, entry.node))
    padding = bytes(6 - entry.length)
    return bytes(entry.id[: entry.length]) + padding + bytes((entry.length,)) + last

"""Rare: the messages of discovery. By this project's profile, `profile.md` 19.

    45 | sub-code 1 | epoch 4 bits, copies 2, condition 2 | concentrator's id 6 | path 1 | nonce 2
       | search: hash mask 1, value 1, slots 1, slot length 1 (16 ms)
         ask: id of the device 6
       | ids of the path, 6 each
    4A | sub-code 1 | flags 1 | device's id 6 | path 1 | nonce 2 | concentrator's id 6
       | status 1, levels 1, phase 1 | subnet 1, node 1
       | program id 8, if the flags say so
       | ids of the path, 6 each

copies: how often each frame is sent again by whoever sends it; so also bits 5-4 of an answer's
flags. path: number of ids << 4 | place. Outwards place is how many have passed it on, inwards how
many have yet to. Who passes an answer on writes over his own id how he heard it: status, levels,
phase; the last three octets of the id stay. Status and levels are the transceiver's (`lon.md` 4):
|08 for the second carrier; margin nibble << 4 | strength nibble.
"""

from micropython import const

import ticks
from osgp.lon.management import PROGRAM_ID
from osgp.lon.npdu import APDU, BROADCAST, UNIQUE_ID
from osgp.membership import CONFIGURED

_OUT = const(0x45)
_IN = const(0x4A)
_SEARCH = const(1)
_ASK = const(2)
_ALL = const(0)  # conditions
_UNCOMMISSIONED = const(1)
_OUT_OF_COMMUNICATION = const(2)
_COMMISSIONED = const(0x01)  # flags of an answer
_COMMUNICATING = const(0x02)
_PROGRAM = const(0x04)
_RECENT = const(6)

_SEARCH_HEAD = const(16)  # octets before the path
_ASK_HEAD = const(18)
_ANSWER_HEAD = const(23)
_PROGRAM_N = const(8)
_ID = const(6)
_LARGEST = const(114)
_SLOT_MS = const(16)
_REST_MS = const(100)  # between two frames that are passed on
_DOMAIN = const(1)  # entry of the discovery domain

_ET04 = const(2048 + 4)
_ET55 = const(2048 + 55)
_DISABLED = const(95)  # in ET04
_THRESHOLD = const(14)  # in ET55: INT8, dB
_TIMEOUT = const(15)  # in ET55: UINT16, minutes; low octet first
_MINUTE_MS = const(60000)


def run(discovery, buf, a, end, now):
    """Take the APDU buf[a:end]."""
    npdu = discovery.node.npdu
    message = bytearray(buf[a:end])
    if npdu.pdu != APDU or npdu.domain != _DOMAIN or len(message) < _SEARCH_HEAD:
        return
    count = message[9] >> 4
    place = message[9] & 0x0F
    head = _head(message)
    if not head or place > count or len(message) != head + _ID * count:
        return
    uid = bytes(npdu.uid)
    path = [bytes(message[k : k + _ID]) for k in range(head, len(message), _ID)]
    to_us = npdu.format == UNIQUE_ID
    if message[0] == _IN:
        if to_us and place and path[place - 1] == uid:
            _pass_back(discovery, message, head, path, now)
    elif place < count:
        if to_us and path[place] == uid:
            _pass_on(discovery, message, path, now)
    elif message[1] == _ASK:
        if to_us and message[12:18] == uid:
            discovery.epoch = message[2] >> 4 or discovery.epoch
            _answer(discovery, message, path, 0, now)
    elif npdu.format == BROADCAST and uid not in path and _is_sought(discovery, message, now):
        slot = (_mixed(uid, message) & 0xFF) * message[14] >> 8
        _answer(discovery, message, path, slot * message[15] * _SLOT_MS, now)


def _head(message) -> int:
    """Octets before the path, 0 if it is no message of these."""
    if message[1] not in (_SEARCH, _ASK):
        return 0
    if message[0] == _OUT:
        return _SEARCH_HEAD if message[1] == _SEARCH else _ASK_HEAD
    return _ANSWER_HEAD + (_PROGRAM_N if message[2] & _PROGRAM else 0)


# ---- passing on


def _pass_on(discovery, message, path, now):
    message[9] += 1
    place = message[9] & 0x0F
    if place < len(path):
        to = path[place]
    else:
        to = bytes(message[12:18]) if message[1] == _ASK else None
    _pass(discovery, to, message, now)


def _pass_back(discovery, message, head, path, now):
    message[9] -= 1
    place = message[9] & 0x0F
    link = discovery.node.link
    at = head + _ID * place
    message[at : at + 3] = bytes((link.ssi1, link.ssi2, link.phase))
    to = path[place - 1] if place else bytes(message[12:18])
    _pass(discovery, to, message, now)


def _pass(discovery, to, message, now):
    """To the unique id `to`, or to everybody; each once, one at a time, and not too fast. The
    copies of one that has been sent make room for the next."""
    what = bytes(message[3:9]) + bytes((message[0], message[10], message[11]))
    if what in discovery.recent:
        return
    if discovery.others is not None and not discovery.others_sent:
        discovery.dropped += 1
        return
    due = now
    rest = discovery.rest_until
    if rest is not None and 0 < ticks.diff(rest, now) <= _REST_MS:
        due = rest
    discovery.rest_until = ticks.add(due, _REST_MS)
    discovery.recent = discovery.recent[1 - _RECENT :] + (what,)
    discovery.passed += 1
    discovery.others_due = due
    discovery.others_copies = _copies(message)
    discovery.others_sent = False
    discovery.others = _lpdu(discovery, to, message)


def _copies(message) -> int:
    return message[2] >> (2 if message[0] == _OUT else 4) & 3


def _lpdu(discovery, to, message):
    form = BROADCAST if to is None else UNIQUE_ID
    entry = discovery.node.npdu.domains[_DOMAIN]
    return bytes((0, APDU << 4 | form << 2 | 3, 0, 0x80, 0)) + (to or b"") + entry.id + message


# ---- answering


def _mixed(uid, message) -> int:
    """16 bits of the id and the query's nonce. Not linear, so that devices that answer in one slot
    of one query do not do so in that of every other."""
    h = 0x811C
    for octet in bytes(message[10:12]) + uid:
        h = (h ^ octet) * 0x0193 & 0xFFFF
        h ^= h >> 7
    h = h * 0x2D2B & 0xFFFF
    return h ^ h >> 8


def _is_sought(discovery, message, now) -> bool:
    """Does the search ask for this device?"""
    npdu = discovery.node.npdu
    epoch = message[2] >> 4
    condition = message[2] & 0x03
    if condition > _OUT_OF_COMMUNICATION or (epoch and epoch == discovery.epoch):
        return False
    if _mixed(bytes(npdu.uid), message) >> 8 & message[12] != message[13]:
        return False
    if condition == _UNCOMMISSIONED and discovery.node.member.state == CONFIGURED:
        return False
    et55 = discovery.model.load(_ET55)
    if condition == _OUT_OF_COMMUNICATION and _is_communicating(discovery, et55, now):
        return False
    return not discovery.model.load(_ET04)[_DISABLED] and _is_loud(discovery.node.link, et55)


def _is_loud(link, et55) -> bool:
    """Is the query as strong as ET55.14 asks for? A link that measures nothing counts."""
    if not (link.ssi1 or link.ssi2):
        return True
    threshold = et55[_THRESHOLD]
    if threshold > 127:
        threshold -= 256
    return 6 * (link.ssi2 & 0x0F) - 84 >= threshold


def _is_communicating(discovery, et55, now) -> bool:
    """Was there a good secured message in the last ET55.15 minutes?"""
    last = discovery.envelope.validated_at
    minutes = et55[_TIMEOUT] | et55[_TIMEOUT + 1] << 8
    return last is not None and 0 <= ticks.diff(now, last) < min(minutes * _MINUTE_MS, ticks.FAR)


def _answer(discovery, query, path, wait, now):
    """Have the query answered after `wait` ms, if it has not been already."""
    seen = bytes(query[3:9]) + bytes(query[10:12])
    if seen == discovery.seen:
        return
    discovery.seen = seen
    discovery.asked += 1
    node = discovery.node
    member = node.member
    domain = member.domains[0]
    commissioned = member.state == CONFIGURED
    flags = _copies(query) << 4 | (_COMMISSIONED if commissioned else 0)
    if _is_communicating(discovery, discovery.model.load(_ET55), now):
        flags |= _COMMUNICATING
    program = b""
    if _ANSWER_HEAD + _PROGRAM_N + _ID * len(path) <= _LARGEST:
        program = PROGRAM_ID
        flags |= _PROGRAM
    link = node.link
    message = bytes((_IN, query[1], flags)) + bytes(node.npdu.uid)
    message += bytes((len(path) << 4 | len(path),)) + bytes(query[10:12]) + bytes(query[3:9])
    message += bytes((link.ssi1, link.ssi2, link.phase))
    message += bytes((domain.subnet, domain.node)) if commissioned else b"\x00\x00"
    message += program + b"".join(path)
    to = path[-1] if path else bytes(query[3:9])
    discovery.own = _lpdu(discovery, to, message)
    discovery.own_due = ticks.add(now, wait)
    discovery.own_copies = _copies(query)

"""Rare: how often the two keys of the power line were used, and may be (profile 11).

    "key uses"   unicast {CRC-32 of the key 4 | good 4 | failed 4} | broadcast {the same}

Little-endian. What is kept is reserved ahead: after a restart no key counts as used less often
than it was. A key that is new starts at 0. At 80 % of ET04.123, of good and failed uses together,
an alarm is set; as many good uses are all that a key has.
"""

import binascii

from micropython import const

_NAME = "key uses"
_PART = const(12)
_SIZE = const(24)
_BLOCK = const(256)  # uses that are reserved
_ET04 = const(2048 + 4)
_LIMIT = const(123)
_EXPIRES = const(58)  # alarm BT03.8.2, "password (key) expiration pending"


def run(envelope):
    """To be called before a use is counted that nothing is reserved for.

    At the first one after a start, or of another key, the uses begin with those that were kept.
    """
    house = envelope.house
    uses = envelope.uses
    kept = bytearray(_SIZE)
    house.settings.load(_NAME, kept)
    record = counted = b""
    for k, key in enumerate((envelope.member.unicast_key, envelope.member.broadcast_key)):
        mark = binascii.crc32(bytes(key)).to_bytes(4, "little")
        part = kept[_PART * k : _PART * (k + 1)]
        if envelope.counted[4 * k : 4 * k + 4] != mark:
            if part[:4] != mark:
                part = bytes(_PART)
            uses[2 * k] = int.from_bytes(part[4:8], "little")
            uses[2 * k + 1] = int.from_bytes(part[8:], "little")
        counted += mark
        record += mark
        for count in uses[2 * k : 2 * k + 2]:
            record += (count + _BLOCK).to_bytes(4, "little")
    envelope.counted = counted
    try:
        house.settings.replace(_NAME, record, _SIZE)
    except OSError:  # the next use tries again
        house.events.lost += 1
        return
    body = house.model.body(_ET04)
    _judge(envelope, int.from_bytes(bytes(body[_LIMIT : _LIMIT + 4]), "little"))


def _judge(envelope, limit: int):
    """What follows from the uses; when the next thing will."""
    uses = envelope.uses
    warning = limit * 4 // 5
    marks = [warning - uses[0] - uses[1], warning - uses[2] - uses[3]]
    envelope.house.events.alarm(_EXPIRES, min(marks) <= 0)
    marks.append(limit - uses[0])
    marks.append(limit - uses[2])
    envelope.exhausted = marks[2] <= 0
    envelope.exhausted_broadcast = marks[3] <= 0
    envelope.reserved = min([_BLOCK] + [mark for mark in marks if mark > 0]) - 1

"""Rare: the load profile's configuration, at a start and changed as a whole or not at all.

The one write of the settings value is the moment of the change. Nothing is erased: the records of
before have lower numbers than `begin`, or another size, and the ring goes over them in its time.
"""

import struct

from meter.profile_set import (
    BLOCKS,
    CHANNELS,
    CONFIGURATION,
    ID,
    READ_UNTIL,
    SOURCES,
    STATUS,
    ProfileSet,
)
from meter.profiles import MAP, MAPPED, NAME, SET_SIZE, SETS, SIZE
from meter.registers import get32, put16, put32

_BT61_SET = 7  # the first set in BT61: blocks 2, intervals 2, channels 1, interval time 1
_BT61_SIZE = 6
_INT32 = 32  # BT62: the format of all data
_UNREAD = 54  # alarm: unread blocks in set 1 (MEP p.46: BT03 octet 7 bit 6),
_UNREAD_SETS = 15  # and in the others behind this (octet 3 from bit 0 on)


def run(profiles, k, what, argument):
    """What is to be done with set k, and its argument. Returns False if that cannot be.

    start: the sets become what is kept. read: the oldest of the unread blocks, so many, were read.
    reset: the set is emptied. configure: (blocks, intervals, start, interval time, sources);
    without sources it ends. map: (source id, extended source id) goes into ET66.
    """
    configuration = _configuration(profiles)
    at = SET_SIZE * k
    if what == "start":
        for each in range(SETS):
            _apply(profiles, each, configuration)
        return True
    if what == "read":
        return _read(profiles, k, configuration, argument)
    if what == "map":
        put16(configuration, MAP + 2 * (argument[0] - MAPPED), argument[1])
        profiles.settings.replace(NAME, configuration, SIZE)
        return True
    if what == "reset":
        begin = profiles.sets[k].ring.last + 1
    else:
        begin = _shape(profiles, k, configuration, argument)
        if begin < 0:
            return False
    put32(configuration, at, begin)
    put32(configuration, at + READ_UNTIL, 0)
    put32(configuration, at + ID, get32(configuration, at + ID) + 1)
    profiles.settings.replace(NAME, configuration, SIZE)
    _apply(profiles, k, configuration)
    profiles.registers.status[k] = profiles.dst
    profiles.events.alarm(_UNREAD_SETS + k if k else _UNREAD, False)
    return True


def record_size(channels):
    """Octets of a record."""
    return STATUS + channels // 2 + 1 + 4 * channels


def _configuration(profiles):
    """The settings value: what is kept, else set 1 as BT61 has it by default."""
    kept = bytearray(SIZE)
    if profiles.settings.load(NAME, kept) != SIZE:
        kept = bytearray(SIZE)
        shape = struct.unpack_from("<HHBB", profiles.bt61, _BT61_SET)
        struct.pack_into(
            CONFIGURATION, kept, 0, 0, 0, 1, shape[0], shape[1], 0, shape[2], shape[3]
        )
        for channel in range(shape[2]):
            kept[SOURCES + channel] = channel
    return kept


def _shape(profiles, k, configuration, shape):
    """Put a shape into the configuration. Returns the number of the first record to come; -1: the
    ring has no room."""
    blocks, intervals, start, time, sources = shape
    begin = 0
    if sources:
        ring = profiles.make_ring(k, record_size(len(sources)))
        if blocks * intervals > ring.capacity:
            return -1
        begin = ring.last + 1
    else:
        blocks = intervals = start = time = 0
    at = SET_SIZE * k
    numbers = struct.pack("<HHHBB", blocks, intervals, start, len(sources), time)
    configuration[at + BLOCKS : at + SOURCES] = numbers
    room = SET_SIZE - SOURCES
    configuration[at + SOURCES : at + SET_SIZE] = sources + bytes(room - len(sources))
    return begin


def _apply(profiles, k, configuration):
    """Set k becomes what the settings value says, and the tables follow."""
    own = configuration[SET_SIZE * k : SET_SIZE * (k + 1)]
    model = profiles.model
    if profiles.sets[k]:
        profiles.rings.remove(profiles.sets[k].ring)
    one = None
    if own[CHANNELS]:
        ring = profiles.make_ring(k, record_size(own[CHANNELS]))
        one = ProfileSet(profiles, own, ring)
        profiles.rings.append(ring)
    profiles.sets[k] = one
    profiles.lengths[k] = 60 * one.minutes if one else 0
    profiles.starts[k] = 60 * one.start if one else 0
    profiles.left = 0
    model.reader(64 + k, one.read if one else None)
    model.resize(64 + k, one.blocks * one.block_size if one else 0)
    o = _BT61_SET + _BT61_SIZE * k
    profiles.bt61[o : o + 4] = own[BLOCKS : BLOCKS + 4]
    profiles.bt61[o + 4 : o + 6] = own[CHANNELS:SOURCES]
    octets = 0
    control = bytearray()
    for one in profiles.sets:
        if one:
            octets += one.blocks * one.block_size
            for source in one.sources:
                control.extend(bytes((0, source, 0)))
        control.append(_INT32)
    put32(profiles.bt61, 0, octets)
    profiles.control = bytes(control)
    model.resize(62, len(control))
    profiles.show(k)


def _read(profiles, k, configuration, blocks):
    one = profiles.sets[k]
    until = one.sequence + 1 - one.unread + min(blocks, one.unread)
    put32(configuration, SET_SIZE * k + READ_UNTIL, until)
    profiles.settings.replace(NAME, configuration, SIZE)
    one.read_until = until
    profiles.show(k)
    if not one.unread:
        profiles.events.alarm(_UNREAD_SETS + k if k else _UNREAD, False)
    return True

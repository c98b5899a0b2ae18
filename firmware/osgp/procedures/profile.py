"""Rare: procedures of the load profile. EP11: configure or reset a set, EP52: remap a source.

    EP11 {set 0-3, action 0 reset | 1 configure} and, to configure, {blocks 2, intervals of a block
         2, interval time 1, hour and minute of a block's start 2, source ids of the channels}
    EP52 {mapped source id 112-163, extended source id 2}

The parameters are this project's own (docs/profile.md). The change is one write; the entry of
ET75 and ET42 follow.
"""

from micropython import const

import rare
from meter.clock import DAY, to_stime
from meter.profiles import MAPPED, MAPPED_LAST, SETS
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE
from tables.model import MASTER

_EP52 = const(2048 + 52)
_CONFIGURE = const(1)
_HEADER = const(2)
_SHAPE = const(9)  # octets in front of the sources
_CHANNELS = const(16)  # BT60.11
_INTERVALS = const(1440)
_A_DAY = const(84)
_LAST_SOURCE = const(244)  # MEP p.206
_BT13 = const(13)
_BT22 = const(22)
_DEMAND_SOURCES = const(15)  # BT22: behind the summations' (BT21.3)
_DEMANDS = const(8)
_ET55 = const(2048 + 55)
_PRIMARY = const(110)
_ET62 = const(2048 + 62)
_ET66 = const(2048 + 66)
_ET75 = const(2048 + 75)
_CODES = const(25)  # ET62: the channels' codes
_CODES_SIZE = const(112)
# ET75
_LOG_HEADER = const(6)
_ENTRIES = const(6)
_ENTRY = const(159)
_OVERFLOW = const(2)


def run(number, parameters, response, device, now):
    """EP11 or EP52."""
    if number == _EP52:
        return _remap(parameters, device), 0
    k = parameters[0]
    profiles = device.application.profiles
    if k >= SETS or parameters[1] > _CONFIGURE:
        return BAD_PARAMETER, 0
    if parameters[1] == _CONFIGURE:
        shape = _shape(parameters)
        if shape is None:
            return BAD_PARAMETER, 0
        entry = _entry(device, k)
        if not rare.run("meter.profile_setup", profiles, k, "configure", shape):
            return CONFLICT, 0
        _log(device, k, entry)
    elif len(parameters) > _HEADER:
        return BAD_PARAMETER, 0
    elif profiles.sets[k] is None:
        return CONFLICT, 0
    else:
        rare.run("meter.profile_setup", profiles, k, "reset", 0)
    rare.run("osgp.interface", device, number)
    return DONE, 0


def _shape(parameters):
    """(blocks, intervals, minutes of the start, interval time, sources); None: there is no such
    shape. Without sources the rest does not count."""
    if not _SHAPE <= len(parameters) <= _SHAPE + _CHANNELS:
        return None
    blocks = parameters[2] | parameters[3] << 8
    intervals = parameters[4] | parameters[5] << 8
    time, hour, minute = parameters[6:9]
    sources = bytes(parameters[_SHAPE:])
    if sources:
        good_time = time == _A_DAY or (0 < time <= 60 and 60 % time == 0)
        good_shape = blocks and 0 < intervals <= _INTERVALS and max(sources) <= _LAST_SOURCE
        if not (good_time and good_shape and hour < 24 and minute < 60):
            return None
    return blocks, intervals, 60 * hour + minute, time, sources


def _remap(parameters, device):
    source = parameters[0]
    if not MAPPED <= source <= MAPPED_LAST:
        return BAD_PARAMETER
    profiles = device.application.profiles
    users = [k for k in range(SETS) if profiles.sets[k] and source in profiles.sets[k].sources]
    entries = [_entry(device, k) for k in users]
    extended = parameters[1] | parameters[2] << 8
    rare.run("meter.profile_setup", profiles, 0, "map", (source, extended))
    for k, entry in zip(users, entries):
        _log(device, k, entry)
    if users:
        rare.run("osgp.interface", device, _EP52)
    return DONE


def _entry(device, k):
    """What ET75 is to tell of set k as it is before the change."""
    model = device.model
    entry = bytearray(_ENTRY)
    profiles = device.application.profiles
    one = profiles.sets[k]
    for channel in range(len(one.sources) if one else 0):
        source = one.sources[channel]
        if MAPPED <= source <= MAPPED_LAST:
            model.read(_ET66, 2 * (source - MAPPED), 2, entry, 5 + 2 * channel, MASTER)
        else:
            entry[5 + 2 * channel] = source
    model.read(_BT22, _DEMAND_SOURCES, _DEMANDS, entry, 37, MASTER)
    model.read(_BT13, 4, 2, entry, 45, MASTER)
    model.read(_ET62, _CODES, _CODES_SIZE, entry, 47, MASTER)
    return entry


def _log(device, k, entry):
    """Put an entry into ET75, if set k is the primary one (MEP p.179). Its time: the end of the
    first interval of the set as it is now."""
    primary = bytearray(1)
    device.model.read(_ET55, _PRIMARY, 1, primary, 0, MASTER)
    if primary[0] != k:
        return
    application = device.application
    one = application.profiles.sets[k]
    if application.clock.valid:
        day = application.registers.day
        second = application.registers.second
        if one:
            profiles = application.profiles
            length = profiles.lengths[k]
            second += length - (second - profiles.starts[k]) % length
        to_stime(day + second // DAY, second % DAY, entry, 0)
    log = device.model.load(_ET75)
    place = (log[2] + 1) % _ENTRIES if log[1] else 0
    if log[5] == _ENTRIES:
        log[0] |= _OVERFLOW
    log[1] = min(log[1] + 1, _ENTRIES)
    log[2] = place
    sequence = (log[3] | log[4] << 8) + 1
    log[3] = sequence & 0xFF
    log[4] = sequence >> 8 & 0xFF
    log[5] = min(log[5] + 1, _ENTRIES)
    at = _LOG_HEADER + _ENTRY * place
    log[at : at + _ENTRY] = entry
    device.model.patch(_ET75, 0, log)

"""Rare: what follows when a condition of power quality counts, or ends: ET09 and events.

Arguments of the events (profile): of sag 98 and swell 99 phase (0 to 2) | V << 2; of THD 100 to
105 phase | 0.1 % << 2; of 68 and 74 the set of phases; of 91 the set of what holds: bits 0 to 2
sags of L1 to L3, 3 to 5 surges, 6 to 8 sag2, 9 to 11 over-currents; of 93 the set of THD: bits 0
to 2 of voltage L1 to L3, then of current, then of VA.
"""

from micropython import const

import ticks
from meter.clock import DAY, to_ltime
from meter.quality import (
    COVER,
    ET09,
    LOSS,
    MAGNET,
    MISSING,
    OVER,
    PHASES,
    REVERSE,
    SAG,
    SOON,
    SURGE,
    THD,
)
from meter.registers import put16, put32

_COVER_REMOVED = const(47)
_REVERSE_ENERGY = const(48)
_PHASE_LOSS = const(68)
_CURRENT_ON_MISSING_PHASE = const(74)
_MAGNETIC_TAMPER = const(89)
_QUALITY_CHANGED = const(91)
_THD_CHANGED = const(93)
_SAG = const(98)
_SWELL = const(99)
_MAX_THD = const(100)
_AVERAGE_THD = const(103)

# ET09: {time of the last 6, number 2} of L1 to L3, and their voltages; options
_RECORDS = (186, 210, 660, 267)  # of SAG, SURGE, SAG2, LOSS
_RECORD_SIZE = const(8)
_TIME_SIZE = const(6)
_VOLTAGES = (291, 303, 684)  # of SAG, SURGE, SAG2
_OVER_CURRENTS = const(254)
_LOST = const(266)
_OPTIONS = const(698)
_EARLY = const(1)

# a record of THD: {number 2, time 6, maximum 2, its time 6, average 2, reserved 4}
_DISTORTIONS = const(331)
_TYPE_SIZE = const(70)
_DISTORTION_SIZE = const(22)
_KINDS = const(9)


def run(quality, condition, phase, begins, now_ms):
    """`begins`: it has lasted long enough to count; else it ends, having counted."""
    if condition in (COVER, MAGNET, REVERSE):
        if begins:
            event = {COVER: _COVER_REMOVED, MAGNET: _MAGNETIC_TAMPER, REVERSE: _REVERSE_ENERGY}
            quality.events.post(event[condition])
    elif condition == MISSING:
        if begins:
            quality.events.post(_CURRENT_ON_MISSING_PHASE, _set(quality, MISSING, 1))
    else:
        if quality.image is None:
            quality.image = quality.model.load(ET09)
        quality.unsaved = SOON
        change = _lost if condition == LOSS else _over if condition == OVER else _line
        if condition >= THD:
            change = _distorted
        change(quality, condition, phase, begins, now_ms)


def _line(quality, condition, phase, begins, now_ms):
    """A sag, a surge or a sag2."""
    image = quality.image
    worst = abs(quality.worst[condition * quality.stride + phase])
    if begins:
        _count(quality, condition, phase, now_ms)
    put32(image, _VOLTAGES[condition] + 4 * phase, worst)
    if image[_OPTIONS] & _EARLY or not begins:
        event = _SWELL if condition == SURGE else _SAG
        quality.events.post(event, phase | worst // 1000 << 2 & 0xFFFF)
    _post_state(quality, condition, phase, begins)


def _lost(quality, condition, phase, begins, now_ms):
    bit = 1 << phase
    if begins:
        _count(quality, condition, phase, now_ms)
        quality.image[_LOST] |= bit
    else:
        quality.image[_LOST] &= ~bit & 0xFF
    quality.events.post(_PHASE_LOSS, quality.image[_LOST])


def _over(quality, condition, phase, begins, now_ms):
    if begins:
        image = quality.image
        o = _OVER_CURRENTS + 4 * phase
        number = image[o] | image[o + 1] << 8 | image[o + 2] << 16 | image[o + 3] << 24
        put32(image, o, min(number + 1, 0xFFFFFFFF))
    _post_state(quality, condition, phase, begins)


def _distorted(quality, condition, phase, begins, now_ms):
    image = quality.image
    type_ = condition - THD
    o = _DISTORTIONS + type_ * _TYPE_SIZE + phase * _DISTORTION_SIZE
    if begins:
        put16(image, o, min((image[o] | image[o + 1] << 8) + 1, 0xFFFF))
        _stamp(quality, condition, phase, now_ms, o + 2)
    else:
        k = type_ * PHASES + phase
        sums = quality.sums
        maximum = -quality.worst[condition * quality.stride + phase]
        average = maximum
        if sums and sums[_KINDS + k]:
            average = sums[k] // sums[_KINDS + k]
            _put_time(image, o + 10, sums[2 * _KINDS + k], sums[3 * _KINDS + k])
        put16(image, o + 8, maximum)
        put16(image, o + 16, average)
        quality.events.post(_MAX_THD + type_, phase | maximum << 2 & 0xFFFF)
        quality.events.post(_AVERAGE_THD + type_, phase | average << 2 & 0xFFFF)
    quality.events.post(
        _THD_CHANGED, _changed(_set(quality, THD, 3), condition - THD, phase, begins)
    )


def _count(quality, condition, phase, now_ms):
    image = quality.image
    o = _RECORDS[condition] + phase * _RECORD_SIZE
    _stamp(quality, condition, phase, now_ms, o)
    o += _TIME_SIZE
    put16(image, o, min((image[o] | image[o + 1] << 8) + 1, 0xFFFF))


def _stamp(quality, condition, phase, now_ms, o):
    """When it began; zeros while there is no clock."""
    clock = quality.clock
    if not clock.valid:
        _put_time(quality.image, o, -1, 0)
        return
    passed = ticks.diff(now_ms, quality.since[condition * quality.stride + phase]) // 1000
    second = clock.second - passed
    _put_time(quality.image, o, clock.day + second // DAY, second % DAY)


def _put_time(image, o, day, second):
    if day < 0:
        image[o : o + _TIME_SIZE] = bytes(_TIME_SIZE)
    else:
        to_ltime(day, second, image, o)


def _set(quality, first, conditions) -> int:
    """A bit for each of the conditions and phases that counted."""
    found = 0
    for k in range(conditions * quality.stride):
        condition, phase = divmod(k, quality.stride)
        found |= quality.counted[first * quality.stride + k] << condition * PHASES + phase
    return found


def _changed(state, place, phase, begins) -> int:
    """The set with the bit of what begins or ends as it is from now on."""
    bit = 1 << (place * PHASES + phase)
    return state | bit if begins else state & ~bit


def _post_state(quality, condition, phase, begins):
    state = _set(quality, SAG, 3) | _set(quality, OVER, 1) << 3 * PHASES
    place = 3 if condition == OVER else condition - SAG
    quality.events.post(_QUALITY_CHANGED, _changed(state, place, phase, begins))

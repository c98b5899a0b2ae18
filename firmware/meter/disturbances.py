"""Rare: what disturbs the line of a simulated house, the second section of a measured source.

Little-endian: phases 1 (1 or 3), count 2, then the disturbances by start: start 4 (s since the
source's first midnight, below 2**30), duration 4 (s), kind 1, phase 1 (0 to 2), value 2.

    VOLTAGE, CURRENT    of the phase becomes value: 0.1 V (0: the phase is lost), 0.1 A
    FREQUENCY           becomes value: 0.01 Hz
    THD_VOLTAGE ..      distortion of the phase becomes value: 0.1 %
    ROTATION            becomes value: 1 L3L2L1, 2 unknown
    INVERSION           the current of the phase flows the wrong way round
    COVER, MAGNET       somebody takes the cover off, holds a magnet to it

Of two that overlap in kind and phase the later one holds, to its own end.
"""

import struct
from array import array

from micropython import const

SECTION = "<BH"
DISTURBANCE = "<IIBBH"
VOLTAGE = const(0)
CURRENT = const(1)
FREQUENCY = const(2)
THD_VOLTAGE = const(3)
THD_CURRENT = const(4)
THD_VA = const(5)
ROTATION = const(6)
INVERSION = const(7)
COVER = const(8)
MAGNET = const(9)
PHASES = const(3)

_KINDS = const(10)
_SECTION_SIZE = const(3)
_SIZE = const(12)
_NEVER = const(0x3FFFFFFF)
_NONE = const(-1)

# What is played (meter/element.py): what holds by kind and phase, or _NONE, and until when; then
# the moment that it was played for, the next at which something changes, the next disturbance,
# how many there are and where they begin.
_ENDS = const(30)
_MOMENT = const(60)
_CHANGE = const(61)
_NEXT = const(62)
_COUNT = const(63)
_START = const(64)


def run(element, read, played, moment):
    """What holds at a moment (s since the first midnight) shows in the element.

    `read(offset, buf)` fills buf from the source. played: see above; None: make it, for the
    section that begins at `moment` (octets), and return it. ValueError: there is none.
    """
    if played is None:
        return _open(element, read, moment)
    back = moment < played[_MOMENT]
    if back:
        played[_NEXT] = 0
    for k in range(_ENDS):
        if back or played[_ENDS + k] <= moment:
            played[k] = _NONE
    played[_CHANGE] = _NEVER
    while played[_NEXT] < played[_COUNT] and _begin(read, played, moment):
        played[_NEXT] += 1
    for k in range(_ENDS):
        if played[k] != _NONE:
            played[_CHANGE] = min(played[_CHANGE], played[_ENDS + k])
    _show(element, played)
    return played


def _open(element, read, start):
    header = bytearray(_SECTION_SIZE)
    read(start, header)
    element.phases, count = struct.unpack_from(SECTION, header, 0)
    if element.phases not in (1, PHASES):
        raise ValueError("not one phase or three")
    state = [_NONE] * _ENDS + [0] * _ENDS + [0, 0, 0, count, start + _SECTION_SIZE]
    return array("i", state)


def _begin(read, played, moment) -> bool:
    """Begin the next one if its time has come."""
    record = bytearray(_SIZE)
    read(played[_START] + played[_NEXT] * _SIZE, record)
    start, duration, kind, phase, value = struct.unpack(DISTURBANCE, record)
    if start > moment:
        played[_CHANGE] = start
        return False
    if kind < _KINDS and phase < PHASES:
        end = min(start + duration, _NEVER)
        played[kind * PHASES + phase] = value if end > moment else _NONE
        played[_ENDS + kind * PHASES + phase] = end
    return True


def _show(element, played):
    """What is no present value."""
    for k in range(9):
        element.distortion[k] = max(played[THD_VOLTAGE * PHASES + k], 0)
    if element.phases > 1:
        element.rotation = max(played[ROTATION * PHASES], 0)
    element.inverted = 0
    for phase in range(PHASES):
        if played[INVERSION * PHASES + phase] > 0:
            element.inverted |= 1 << phase
    element.tampers = (played[COVER * PHASES] > 0) | (played[MAGNET * PHASES] > 0) << 1

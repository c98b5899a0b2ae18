"""Rare: the thresholds of power quality, from ET04 (rated values), ET09 and ET55."""

from array import array

from micropython import const

from meter.quality import (
    COVER,
    ET04,
    ET09,
    ET55,
    LOSS,
    MAGNET,
    MISSING,
    OVER,
    PHASES,
    REVERSE,
    SAG,
    SAG2,
    SURGE,
    THD,
)

_HIGHEST = const(0x3FFFFFFF)
_NONE = const(-1)
_SECOND = const(1000)  # ms

# ET04
_REGISTRATION = const(56)
_MAX_CURRENT = const(58)
_RATED_VOLTAGE = const(60)
_INACTIVE = const(62)
_SEPARATE_CURRENT = const(0x08)
_ROTATION = const(73)
_REVERSE_CURRENT = const(88)
_GENERATION = const(109)
_PHASE_LOSS = const(111)
_MIN_REGISTRATION = const(118)
_REGISTRATION_FRACTION = const(120)
_CONSTANT_ALARM = const(121)
_REVERSE_TIME = const(137)  # ms, then s
# ET09
_SAG_MINUTES = const(2)
_SAG = const(3)
_SURGE = const(4)
_OVER = const(5)
_MIN_FREQUENCY = const(234)
_MAX_FREQUENCY = const(244)
_SAG_SECONDS = const(323)
_HOLD = const(324)
_OVER_TIME = const(325)
_THD = const(327)
_THD_SIZE = const(70)
_SAG2_TIME = const(657)
_SAG2 = const(659)
# ET55
_PHASE_LOSS_TIME = const(79)
_COVER_TIME = const(104)
_MAGNET_TIME = const(215)


def run(quality, model):
    """Set limits and times of a `Quality`; at its start the extremes of the frequency, too."""
    et04 = model.load(ET04)
    et09 = model.load(ET09)
    et55 = model.load(ET55)
    _set_phases(quality, et04[_INACTIVE])
    _set_limits(quality, et04, et09)
    _set_times(quality.needed, et04, et09, et55)
    _set_distortion(quality, et09)
    _forget(quality)
    quality.hold = et09[_HOLD] * _SECOND
    frequencies = quality.frequencies
    if frequencies[0] == _HIGHEST:
        frequencies[0] = _u32(et09, _MIN_FREQUENCY) or _HIGHEST
        frequencies[1] = frequencies[4] = _NONE
        frequencies[3] = _u32(et09, _MAX_FREQUENCY)
    if quality.element.phases and et04[_ROTATION] != quality.rotation:
        model.patch(ET04, _ROTATION, bytes((quality.rotation,)))


def _set_phases(quality, inactive):
    measured = (1 << quality.element.phases) - 1
    quality.used = ~inactive & measured
    quality.currents = ~(inactive >> 4 if inactive & _SEPARATE_CURRENT else inactive) & measured


def _set_limits(quality, et04, et09):
    rated = _u16(et04, _RATED_VOLTAGE) * 1000  # mV
    quality.loss = rated * et04[_PHASE_LOSS] // 100
    quality.sag = max(rated - rated * et09[_SAG] // 100, 0)
    quality.sag2 = max(rated - rated * et09[_SAG2] // 100, 0)
    quality.surge = rated + rated * et09[_SURGE] // 100
    quality.low = max(quality.loss, quality.sag, quality.sag2)
    quality.over = _u16(et04, _MAX_CURRENT) * (1000 + 10 * et09[_OVER])  # mA
    starting = max(_u16(et04, _REGISTRATION), _u16(et04, _MIN_REGISTRATION))
    quality.registration = starting + et04[_REGISTRATION_FRACTION] // 10
    quality.reverse = _u16(et04, _REVERSE_CURRENT)
    quality.generates = et04[_GENERATION] != 0
    quality.constant = et04[_CONSTANT_ALARM] & 1 != 0


def _set_times(needed, et04, et09, et55):
    needed[SAG] = needed[SURGE] = (et09[_SAG_MINUTES] * 60 + et09[_SAG_SECONDS]) * _SECOND
    needed[SAG2] = _u16(et09, _SAG2_TIME) * _SECOND
    needed[LOSS] = needed[MISSING] = _u16(et55, _PHASE_LOSS_TIME) * _SECOND
    needed[OVER] = _u16(et09, _OVER_TIME) * _SECOND
    needed[COVER] = _u16(et55, _COVER_TIME) * _SECOND or _HIGHEST
    needed[MAGNET] = _u16(et55, _MAGNET_TIME) * _SECOND or _HIGHEST
    needed[REVERSE] = _u16(et04, _REVERSE_TIME + 1) * _SECOND + et04[_REVERSE_TIME]


def _set_distortion(quality, et09):
    on = False
    for type_ in range(3):
        place = _THD + type_ * _THD_SIZE
        quality.needed[THD + type_] = _u16(et09, place) * _SECOND
        quality.distortion[type_] = _u16(et09, place + 2)
        on = on or quality.distortion[type_] > 0
    if not on:
        quality.sums = None
    elif quality.sums is None:
        quality.sums = array("i", [0] * (5 * 3 * PHASES))


def _forget(quality):
    """Conditions of a phase that is not used any more, or of THD that has no limit now."""
    for k in range(COVER * quality.stride):
        condition, phase = divmod(k, quality.stride)
        followed = quality.used >> phase & 1 or condition == MISSING
        if condition >= THD:
            followed = followed and quality.distortion[condition - THD] > 0
        if not followed and quality.since[k] != _NONE:
            quality.since[k] = _NONE
            quality.counted[k] = 0
            quality.running[phase] -= 1


def _u16(body, o) -> int:
    return body[o] | body[o + 1] << 8


def _u32(body, o) -> int:
    return _u16(body, o) | _u16(body, o + 2) << 16

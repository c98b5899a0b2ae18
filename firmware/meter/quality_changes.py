"""Rare: the order of the phases changed, or the way a current flows (events 83 and 69).

Arguments (profile): of 83 the rotation as in ET04.73, of 69 the set of inverted phases.
"""

from micropython import const

from meter.quality import ET04

_ROTATION = const(73)
_PHASE_INVERSION = const(69)
_ROTATION_CHANGED = const(83)
_UNKNOWN = const(2)


def run(quality, element):
    """Take over `rotation` and `inverted` of the element."""
    if element.inverted != quality.inverted:
        quality.inverted = element.inverted
        quality.events.post(_PHASE_INVERSION, element.inverted)
    if element.rotation != quality.rotation:
        known = _UNKNOWN not in (element.rotation, quality.rotation)
        quality.rotation = element.rotation
        quality.model.patch(ET04, _ROTATION, bytes((element.rotation,)))
        if known:
            quality.events.post(_ROTATION_CHANGED, element.rotation)

"""Rare: ten more seconds of THD. While one has a limit, this is run each ten seconds."""

from micropython import const

from meter.quality import PHASES, THD

_KINDS = const(9)  # types and phases
_MOST = const(16384)  # values of a sum: two days
_NONE = const(-1)


def run(quality):
    """Follow THD of each type and phase that has a limit."""
    for k in range(_KINDS):
        type_, phase = divmod(k, PHASES)
        limit = quality.distortion[type_]
        if limit and quality.used >> phase & 1:
            value = quality.element.distortion[k]
            if value > limit:
                begins = quality.since[(THD + type_) * quality.stride + phase] == _NONE
                _sum(quality, k, begins, value)
            quality.follow(THD + type_, phase, value > limit, -value)


def _sum(quality, k, begins, value):
    """THD above its limit: for its average, and when it was worst."""
    sums = quality.sums
    clock = quality.clock
    if begins:
        sums[k] = sums[_KINDS + k] = 0
    if begins or value > sums[4 * _KINDS + k]:
        sums[2 * _KINDS + k] = clock.day if clock.valid else _NONE
        sums[3 * _KINDS + k] = clock.second
        sums[4 * _KINDS + k] = value
    if sums[_KINDS + k] < _MOST:
        sums[k] += value
        sums[_KINDS + k] += 1

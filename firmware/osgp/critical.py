"""Rare: a critical event happened. ET22 keeps of which of its bitmaps it is one.

No public document tells how a device reports a critical event on its own account; a concentrator
finds it in ET22 (profile).
"""

from micropython import const

_ET22 = const(2048 + 22)
_BITMAPS = const(120)
_BITMAP = const(27)
_COUNT = const(10)
_PENDING = const(417)


def run(model, event: int):
    """Mark the bitmaps with this event as pending. OSError: flash did not take it."""
    body = model.load(_ET22)
    before = pending = body[_PENDING] | body[_PENDING + 1] << 8
    for k in range(_COUNT):
        if body[_BITMAPS + k * _BITMAP + (event >> 3)] >> (event & 7) & 1:
            pending |= 1 << k
    if pending != before:
        model.patch(_ET22, _PENDING, bytes((pending & 0xFF, pending >> 8)))

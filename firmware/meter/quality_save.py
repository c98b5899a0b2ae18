"""Rare: ET09 goes into flash, with the extremes of the frequency."""

from micropython import const

from meter.clock import to_ltime
from meter.quality import ET09
from meter.registers import put32

_EXTREMES = const(234)  # ET09: {lowest 4, time 6}, {highest 4, time 6}
_SIZE = const(10)
_TIME_SIZE = const(6)


def run(quality, model):
    """Returns when it is safe."""
    image = quality.image or model.load(ET09)
    frequencies = quality.frequencies
    for k in range(2):
        value, day, second = frequencies[3 * k : 3 * k + 3]
        o = _EXTREMES + k * _SIZE
        if frequencies[3] and value != image[o] | image[o + 1] << 8 | image[o + 2] << 16:
            put32(image, o, value)
            image[o + 4 : o + _SIZE] = bytes(_TIME_SIZE)
            if day >= 0:
                to_ltime(day, second, image, o + 4)
    model.patch(ET09, 0, image)
    quality.image = None

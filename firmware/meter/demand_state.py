"""Rare: the demands as they are kept, and their reset.

The setting "DM": resets 2 | UTC of the last one: day 2, minute 2 | the total's demands, then those
of tiers 0 to 3: {date ANSI 2, minute 2, maximum 4, cumulative 4}. Half a kilobyte: a file that
lies inline.
"""

from micropython import const

from meter.demand import CONTINUOUS, CUMULATIVE, DEMANDS, FULL, MAXIMUM, SIZE, SUMMATIONS
from meter.registers import BLOCK, BLOCKS, FIRST, get32, put16, put32
from osgp.kernels import copy, fill

_NAME = "DM"
_HEADER = const(6)
_KEPT = const(12)
_IMAGE = const(486)
_DAY_MINUTES = const(1440)


def run(demand, what, resets=0, day=0, second=0):
    """ "restore": what was kept. "save": it is safe when this returns. "reset": all maxima go into
    the cumulative demands, which is then saved; resets: how many there were, with this one, day,
    second: UTC."""
    image = bytearray(_IMAGE)
    body = demand.registers.body
    if what == "restore":
        if demand.settings.load(_NAME, image) == _IMAGE:
            demand.resets = image[0] | image[1] << 8
            demand.day = image[2] | image[3] << 8
            demand.minute = image[4] | image[5] << 8
            _each(_restore, body, image)
        body[0] = demand.resets & 0xFF
        return
    if what == "reset":
        demand.resets = resets & 0xFFFF
        demand.day = day
        demand.minute = second // 60 % _DAY_MINUTES
        body[0] = resets & 0xFF
        _each(_clear, body, image)
    put16(image, 0, demand.resets)
    put16(image, 2, demand.day)
    put16(image, 4, demand.minute)
    _each(_keep, body, image)
    demand.settings.replace(_NAME, image, _IMAGE)
    demand.changed = False


def _each(function, body, image):
    """`function(body, o, image, place)` for each demand of BT23, at body[o:]."""
    for k in range(BLOCKS * DEMANDS):
        o = FIRST + k // DEMANDS * BLOCK + SUMMATIONS + k % DEMANDS * SIZE
        function(body, o, image, _HEADER + _KEPT * k)


def _keep(body, o, image, place):
    """Forty times a save, in the slice that ends an interval: no calls but copies."""
    date = body[o] | body[o + 1] << 7 | body[o + 2] << 11
    image[place] = date & 0xFF
    image[place + 1] = date >> 8
    minute = 60 * body[o + 3] + body[o + 4]
    image[place + 2] = minute & 0xFF
    image[place + 3] = minute >> 8
    copy(image, place + 4, body, o + MAXIMUM, o + MAXIMUM + 4)
    copy(image, place + 8, body, o + CUMULATIVE, o + CUMULATIVE + 4)


def _restore(body, o, image, place):
    date = image[place] | image[place + 1] << 8
    minute = image[place + 2] | image[place + 3] << 8
    body[o] = date & 0x7F
    body[o + 1] = date >> 7 & 0x0F
    body[o + 2] = date >> 11
    body[o + 3] = minute // 60
    body[o + 4] = minute % 60
    _put(body, o, get32(image, place + 4), get32(image, place + 8))


def _clear(body, o, image, place):
    total = get32(body, o + CONTINUOUS)
    fill(body, o, o + CUMULATIVE, 0)
    _put(body, o, 0, total)


def _put(body, o, maximum, cumulative):
    put32(body, o + MAXIMUM, maximum)
    put32(body, o + CUMULATIVE, cumulative)
    put32(body, o + CONTINUOUS, (cumulative - FULL + maximum) % FULL)

"""Rare: prepaid credit is added, kept, and runs out (`meter/prepay.py`).

Kept, little-endian: state 1 (bit 0: consumption is deducted; bit 1: reverse energy, too) | Wh 4,
uWh 4 | emergency Wh 4 | number 4 | weights 5 x 4 | registers 20 x 4. The credit holds at the
moment at which the registers were so, and what came after costs by these weights up to the next
record: between a write of ET05 and that one power may go.
"""

import struct

from micropython import const

import rare

_NAME = "prepay"
_HEADER = "<BiIiI5i"
_HEADER_SIZE = const(37)
_SIZE = const(117)
_SEEN = const(20)
_ACTIVE = const(1)
_REVERSE = const(2)

# places in ET05 and ET30 (test_control_tables.py compares)
_ET30 = const(2078)
_ET05_PREPAY_RATES = const(8)
_ET05_PREPAY = const(24)
_ET30_FLAGS = const(27)

_ENABLED = const(1)  # _ET05_PREPAY
_PAY_REVERSE = const(2)
_EXHAUSTED = const(4)  # _ET30_FLAGS
_ACKNOWLEDGED = const(8)
_CREDIT_EXHAUSTED = const(84)  # event

_OTHER_RATE = const(1000)  # as in meter/prepay.py
_MOST_RATE = const(1000000)  # MEP p.154
_MOST = const(999999999)
_UNKEPT = const(100000)  # as in meter/control.py

_EMERGENCY = const(1)  # kinds of credit; 0 is the total

_DONE = const(0)  # result codes of procedures
_BAD_PARAMETER = const(2)
_CONFLICT = const(3)


def run(control, start=None, credit=None):
    """What `Control._pay` saw is dealt with; before that, one of two.

    start: True after a start, False after a write: ET05 is taken over. credit: kind, number and
    amount (Wh) of what is to be added. Returns a result code.
    """
    result = _DONE
    if start is not None:
        _take(control)
    if credit:
        result = _add(control, *credit)
    prepay = control.prepay
    gone = False
    if prepay:
        if prepay.unkept >= _UNKEPT:
            _keep(prepay, control.settings, _ACTIVE)
        gone = prepay.total + prepay.emergency + control.allowed <= 0
    _tell(control, prepay)
    control.gone = gone
    control.limit = control.credit_limit if gone and control.credit_limit else control.level_limit
    return result


def _take(control):
    """Begin, go on or end as ET05 says."""
    et05 = control.et05
    enabled = et05[_ET05_PREPAY] & _ENABLED
    prepay = control.prepay
    active = bool(prepay)
    if not prepay:
        record = bytearray(_SIZE)
        kept = control.settings.load(_NAME, record) == _SIZE
        active = bool(kept and record[0] & _ACTIVE)
        if not enabled and not active:
            return
        prepay = rare.run("meter.prepay", control.application.registers)
        if kept:
            _restore(prepay, record)
    if active:
        prepay.count()  # by the weights that held
    else:
        _see(prepay, control.application.registers)
    rates = struct.unpack_from("<4I", et05, _ET05_PREPAY_RATES)
    weights = [_OTHER_RATE] + [min(rate, _MOST_RATE) - _OTHER_RATE for rate in rates]
    reverse = bool(et05[_ET05_PREPAY] & _PAY_REVERSE)
    changed = weights != prepay.weights or reverse != prepay.reverse
    prepay.weights = weights
    prepay.reverse = reverse
    if not enabled:
        _keep(prepay, control.settings, 0)
        prepay = None
    elif changed or not active:
        _keep(prepay, control.settings, _ACTIVE)
    control.prepay = prepay


def _see(prepay, registers):
    """Nothing of what the registers have counted up to now is to be paid for."""
    for k in range(_SEEN // 2):
        prepay.seen[2 * k] = registers.value(k >> 1, k & 1)
        prepay.seen[2 * k + 1] = registers.fraction(k >> 1, k & 1)


def _restore(prepay, record):
    header = struct.unpack_from(_HEADER, record, 0)
    prepay.reverse = bool(header[0] & _REVERSE)
    prepay.total, prepay.part, prepay.emergency, prepay.number = header[1:5]
    prepay.weights = list(header[5:])
    for k in range(_SEEN):
        prepay.seen[k] = struct.unpack_from("<I", record, _HEADER_SIZE + 4 * k)[0]


def _keep(prepay, settings, active):
    record = bytearray(_SIZE)
    state = active | (_REVERSE if prepay.reverse else 0)
    numbers = (prepay.total, prepay.part, prepay.emergency, prepay.number)
    struct.pack_into(_HEADER, record, 0, state, *numbers, *prepay.weights)
    for k in range(_SEEN):
        struct.pack_into("<I", record, _HEADER_SIZE + 4 * k, prepay.seen[k])
    settings.replace(_NAME, record, _SIZE)
    prepay.unkept = 0


def _add(control, kind, number, amount):
    """Add a credit: safe when this returns, and only then true."""
    prepay = control.prepay
    if not prepay:
        return _CONFLICT
    if kind > _EMERGENCY:
        return _BAD_PARAMETER
    if number <= prepay.number:
        return _CONFLICT
    prepay.count()
    before = (prepay.total, prepay.emergency, prepay.number)
    total, emergency = before[:2]
    if kind == _EMERGENCY:
        emergency += amount
    else:
        total += amount
    if not -_MOST <= total <= _MOST or not 0 <= emergency <= _MOST:
        return _BAD_PARAMETER
    prepay.total = total
    prepay.emergency = emergency
    prepay.number = number
    try:
        _keep(prepay, control.settings, _ACTIVE)
    except OSError:  # flash is full or failed: nothing was added
        prepay.total, prepay.emergency, prepay.number = before
        raise
    return _DONE


def _tell(control, prepay):
    """Credit is at an end, or has come back; a warning that was acknowledged is over."""
    flags = control.et30[_ET30_FLAGS]
    now = flags
    if not prepay or prepay.total > 0:
        now &= ~_EXHAUSTED
    elif not flags & _EXHAUSTED:
        now |= _EXHAUSTED
    if not prepay or prepay.total >= control.warning:
        now &= ~_ACKNOWLEDGED
    if now != flags:
        control.model.patch(_ET30, _ET30_FLAGS, bytes([now]))
        if now & ~flags & _EXHAUSTED:
            control.events.post(_CREDIT_EXHAUSTED)

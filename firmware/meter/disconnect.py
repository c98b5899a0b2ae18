"""Rare: the contactor and its button (`meter/control.py`).

Opening is kept in ET30 before the pulse, closing after the contactor has arrived: so after a power
cut in between, the supply is open.
"""

from micropython import const

import rare
from meter.clock import to_ltime

# places in ET30 (test_control_tables.py compares)
_ET30 = const(2078)
_ET30_STATE = const(25)
_ET30_REASON = const(26)
_ET30_FLAGS = const(27)
_ET30_PULSES = const(29)
_ET30_LIMIT_OPENING = const(30)
_ET30_END = const(36)  # of what is written at an operation

_CLOSED = const(1)  # _ET30_STATE
_OPENED = const(2)
_LOCKED = const(3)
_LOCKS = const(3)  # _ET30_FLAGS
_ACKNOWLEDGED = const(8)

# _ET30_REASON, and the high octet of event 66 (ECH p.35)
_BY_LIMIT = const(2)
_BY_CREDIT_LIMIT = const(4)
_BY_BUTTON = const(6)
_BY_SCHEDULE = const(7)
_BY_RESYNCHRONIZATION = const(8)
_BY_ITSELF = const(9)
_BY_START = const(10)
_WAS_CLOSED = const(0x40)  # its low octet: the state, of 8 to 10 also before
_CONTACT_WAS_CLOSED = const(0x80)
_FAILED = const(0x10)

_SWITCH_ERROR = const(50)  # events
_CHANGED = const(66)
_WARNING_ACKNOWLEDGED = const(85)
_PULSE = const(106)
_LOAD_SIDE_VOLTAGE = const(107)

_OPEN = const(0)  # tasks
_CLOSE = const(1)
_WATCH = const(2)
_START = const(3)
_RESYNCHRONIZE = const(4)
_UNLOCK = const(5)

_DONE = const(0)  # result codes of procedures
_ACCEPTED = const(1)
_CONFLICT = const(3)
_TIMING = const(4)

_CLOSING = const(1)  # moving, as ET23.94
_OPENING = const(3)
_REST = const(10)  # s between two operations (MEP p.136)
_ARRIVAL = const(3)  # s in which the contactor has to arrive (2.5 in ECH p.55)
_MISPLACED = const(1)  # odd
_VOLTAGE = const(2)


def run(control, task, argument=0, more=0):
    """OPEN takes a reason and the locks (bits of ET30's flags) that come with it, CLOSE a reason
    and the locks that go with it, UNLOCK the locks and a reason, WATCH what is odd and the seconds
    that passed.

    Returns a result code: 1, the contactor is on its way; 3, it has to stay open; 4, too soon.
    """
    if task == _OPEN:
        return _open(control, argument, more)
    if task == _CLOSE:
        return _close(control, argument, more)
    if task == _UNLOCK:
        return _unlock(control, argument, more)
    if task == _RESYNCHRONIZE:
        return _resynchronize(control)
    if task == _START:
        return _start(control)
    return _watch(control, argument, more)


def _open(control, reason, locks):
    et30 = control.et30
    was = et30[_ET30_STATE]
    if control.moving or (was == _CLOSED and control.since < _REST):
        return _TIMING
    image = bytearray(et30[_ET30_STATE:_ET30_END])
    flags = image[_ET30_FLAGS - _ET30_STATE] | locks
    state = _LOCKED if flags & _LOCKS else _OPENED
    image[0] = state
    image[_ET30_FLAGS - _ET30_STATE] = flags
    if was == _CLOSED or reason != _BY_SCHEDULE:
        image[_ET30_REASON - _ET30_STATE] = reason
    clock = control.application.clock
    if was == _CLOSED and reason in (_BY_LIMIT, _BY_CREDIT_LIMIT) and clock.valid:
        to_ltime(clock.day, clock.second, image, _ET30_LIMIT_OPENING - _ET30_STATE)
    if image != et30[_ET30_STATE:_ET30_END]:
        control.model.patch(_ET30, _ET30_STATE, image)
    if was == _CLOSED:
        return _pulse(control, _OPENING, reason << 8)
    if was != state:
        control.events.post(_CHANGED, reason << 8 | state)
    return _DONE


def _unlock(control, locks, reason):
    """The contactor stays where it is."""
    et30 = control.et30
    flags = et30[_ET30_FLAGS] & ~locks
    state = et30[_ET30_STATE]
    if state == _LOCKED and not flags & _LOCKS:
        state = _OPENED
    image = bytes([state, et30[_ET30_REASON], flags])
    if image != et30[_ET30_STATE : _ET30_FLAGS + 1]:
        was = et30[_ET30_STATE]
        control.model.patch(_ET30, _ET30_STATE, image)
        if was != state:
            control.events.post(_CHANGED, reason << 8 | state)
    return _DONE


def _close(control, reason, locks=0):
    et30 = control.et30
    if et30[_ET30_STATE] == _CLOSED:
        return _DONE
    if et30[_ET30_FLAGS] & _LOCKS & ~locks or (control.gone and not control.credit_limit):
        return _CONFLICT
    if control.moving or control.since < _REST:
        return _TIMING
    return _pulse(control, _CLOSING, reason << 8)


def _pulse(control, moving, why):
    et30 = control.et30
    et30[_ET30_PULSES] = et30[_ET30_PULSES] + 1 & 0xFF
    control.since = 0
    control.moving = moving
    control.wait = _ARRIVAL
    control.why = why
    control.switch.disconnect(moving == _OPENING)
    control.events.post(_PULSE, et30[_ET30_PULSES])
    if control.switch.opened != (moving == _OPENING):
        return _ACCEPTED
    _arrive(control, True)
    return _DONE


def _arrive(control, there):
    """The contactor is where it was sent, or does not come there."""
    et30 = control.et30
    moving = control.moving
    reason = control.why >> 8
    if moving == _CLOSING and there and et30[_ET30_STATE] != _CLOSED:
        image = bytearray(et30[_ET30_STATE:_ET30_END])
        image[0] = _CLOSED
        image[_ET30_REASON - _ET30_STATE] = reason
        image[_ET30_FLAGS - _ET30_STATE] &= ~_LOCKS  # those that were left went with it
        control.model.patch(_ET30, _ET30_STATE, image)
    control.moving = 0
    state = et30[_ET30_STATE]
    control.events.post(_CHANGED, control.why | (0 if there else _FAILED) | state)
    if not there:
        _post_error(control)
    elif state == _CLOSED:
        rare.run("meter.limits", control)  # averages begin anew


def _post_error(control):
    """The contactor is not where it should be (ECH p.56, format 2)."""
    contact = 0 if control.switch.opened else 8
    control.events.post(_SWITCH_ERROR, 1 | control.et30[_ET30_STATE] << 1 | contact)


def _before(control):
    """State and contact before it is put right: bits of event 66."""
    bits = _WAS_CLOSED if control.et30[_ET30_STATE] == _CLOSED else 0
    return bits if control.switch.opened else bits | _CONTACT_WAS_CLOSED


def _resynchronize(control):
    """EP30: the contactor to where the state says that it is."""
    if control.moving or control.since < _REST:
        return _TIMING
    moving = _CLOSING if control.et30[_ET30_STATE] == _CLOSED else _OPENING
    return _pulse(control, moving, _BY_RESYNCHRONIZATION << 8 | _before(control))


def _start(control):
    """After a restart: open what was open. What was closed and is open stays so, and is told."""
    if control.et30[_ET30_STATE] == _CLOSED or control.switch.opened:
        return _DONE
    if control.switch.opened is None:  # nothing can be told of it
        control.switch.disconnect(True)
        return _DONE
    return _pulse(control, _OPENING, _BY_START << 8 | _before(control))


def _watch(control, odd, passed):
    if control.moving:
        control.wait -= passed
        if control.switch.opened == (control.moving == _OPENING):
            _arrive(control, True)
        elif control.wait <= 0:
            control.odd |= _MISPLACED  # it was tried
            _arrive(control, False)
        return _DONE
    if control.switch.pressed:
        control.switch.pressed = False
        _press(control)
    if control.since < _REST:
        odd &= ~_MISPLACED | control.odd  # not to be put right yet
    if odd & ~control.odd & _MISPLACED:
        if control.et30[_ET30_STATE] == _CLOSED:  # what opened it is not known: leave it open
            _post_error(control)
        else:
            _pulse(control, _OPENING, _BY_ITSELF << 8 | _before(control))
    if odd & ~control.odd & _VOLTAGE:
        control.events.post(_LOAD_SIDE_VOLTAGE)
    control.odd = odd
    return _DONE


def _press(control):
    """The button: it acknowledges a warning; else it opens, or closes what is not locked."""
    et30 = control.et30
    prepay = control.prepay
    flags = et30[_ET30_FLAGS]
    if prepay and prepay.total < control.warning and not flags & _ACKNOWLEDGED:
        control.model.patch(_ET30, _ET30_FLAGS, bytes([flags | _ACKNOWLEDGED]))
        control.events.post(_WARNING_ACKNOWLEDGED)
    elif et30[_ET30_STATE] == _CLOSED:
        _open(control, _BY_BUTTON, 0)
    elif et30[_ET30_STATE] == _OPENED:
        _close(control, _BY_BUTTON)

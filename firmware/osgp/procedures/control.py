"""Rare: procedures of the load disconnect and the control relays: EP02, EP21-EP23, EP30, EP36.

What each does and takes is told where it is defined, in `tables/extended/control.py`.
"""

import struct

from micropython import const

import rare
from meter.clock import DAY, from_ltime, to_ltime
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE, TIMING

_COMMAND = const(2050)
_ADD_CREDIT = const(2069)
_SWITCH_LEVEL = const(2070)
_REMOTE = const(2071)
_RESYNCHRONIZE = const(2078)

_ET30 = const(2078)
# places in ET05 and ET30 (test_control_tables.py compares)
_ET05_CONTROL = const(25)
_ET30_SECONDARY_START = const(1)  # and the end
_ET30_LOCK_START = const(13)
_ET30_STATE = const(25)
_ET30_RELAYS = const(28)

_REMOTE_OFF = const(2)  # _ET05_CONTROL
_LOCK = const(1)  # of ET30's flags: locked by EP23
_BY_COMMAND = const(1)  # reasons, as in event 66
_BY_REMOTE = const(5)

# tasks of meter.disconnect
_OPEN = const(0)
_CLOSE = const(1)
_RESYNC = const(4)
_UNLOCK = const(5)


def run(number, parameters, response, device, now):
    control = device.control
    if number == _COMMAND:
        return _command(control, parameters, response)
    if number == _ADD_CREDIT:
        return _add_credit(control, parameters, response)
    if number == _SWITCH_LEVEL:
        return _switch_level(control, parameters)
    if number == _REMOTE:
        return _remote(control, parameters[0], response)
    if number == _RESYNCHRONIZE:
        return _resynchronize(control, response)
    return _schedule_lock(control, parameters, response)


def _state(control, response, result):
    response[0] = control.et30[_ET30_STATE]
    return result, 1


def _command(control, parameters, response):
    """EP02."""
    output, action = parameters
    if output > 2 or action > 1:
        return BAD_PARAMETER, 0
    if output == 0:
        task = _CLOSE if action else _OPEN
        return _state(control, response, rare.run("meter.disconnect", control, task, _BY_COMMAND))
    relays = control.et30[_ET30_RELAYS]
    forced = relays & ~output if action else relays | output
    if forced != relays:
        control.model.patch(_ET30, _ET30_RELAYS, bytes([forced]))
    rare.load("meter.schedule").run(control)
    return _state(control, response, DONE)


def _add_credit(control, parameters, response):
    """EP21. What there is, is told whether it was added or not."""
    credit = struct.unpack("<BIi", parameters)
    result = rare.run("meter.credit", control, None, credit)
    prepay = control.prepay
    if not prepay:
        return result, 0
    struct.pack_into("<iiI", response, 0, prepay.total, prepay.emergency, prepay.number)
    return result, 12


def _period(control, parameters, start: tuple[int, int]):
    """The start and end (ET30), from a moment (day, second) and a duration in minutes."""
    duration = struct.unpack_from("<H", parameters, len(parameters) - 2)[0]
    image = bytearray(12)
    to_ltime(*start, image, 0)
    if duration:
        second = start[1] + 60 * duration
        to_ltime(start[0] + second // DAY, second % DAY, image, 6)
    return image


def _moment(parameters, place):
    """The LTIME there; None: all zero. ValueError: there is no such moment."""
    if not any(parameters[place : place + 6]):
        return None
    moment = from_ltime(parameters, place)
    if not moment:
        raise ValueError
    return moment


def _switch_level(control, parameters):
    """EP22. The switch back is an end in place of a start."""
    try:
        start = _moment(parameters, 1)
    except ValueError:
        return BAD_PARAMETER, 0
    level = parameters[0]
    clock = control.application.clock
    if level > 1:
        return BAD_PARAMETER, 0
    if not clock.valid:
        return TIMING, 0
    at_once = (clock.day, clock.second)
    start = at_once if not start or start < at_once else start
    if level:
        image = _period(control, parameters, start)
    else:
        image = bytearray(control.et30[_ET30_SECONDARY_START:_ET30_LOCK_START])
        if start == at_once:
            image[:] = bytes(12)
        elif any(image):
            to_ltime(*start, image, 6)
    control.model.patch(_ET30, _ET30_SECONDARY_START, image)
    rare.load("meter.schedule").run(control)
    return DONE, 0


def _remote(control, action, response):
    """EP23."""
    if action > 2:
        return BAD_PARAMETER, 0
    if control.et05[_ET05_CONTROL] & _REMOTE_OFF:
        return _state(control, response, CONFLICT)
    if action == 0:
        result = rare.run("meter.disconnect", control, _OPEN, _BY_REMOTE, _LOCK)
        return _state(control, response, result)
    if action == 1:
        result = rare.run("meter.disconnect", control, _CLOSE, _BY_REMOTE, _LOCK)
    else:
        result = rare.run("meter.disconnect", control, _UNLOCK, _LOCK, _BY_REMOTE)
    return _state(control, response, result)


def _resynchronize(control, response):
    """EP30."""
    result = rare.run("meter.disconnect", control, _RESYNC)
    response[0] = control.et30[_ET30_STATE]
    opened = control.switch.opened
    response[1] = 255 if opened is None else 0 if opened else 1
    return result, 2


def _schedule_lock(control, parameters, response):
    """EP36."""
    try:
        start = _moment(parameters, 0)
    except ValueError:
        return BAD_PARAMETER, 0
    clock = control.application.clock
    if start and not clock.valid:
        return _state(control, response, TIMING)
    image = _period(control, parameters, start) if start else bytes(12)
    end = from_ltime(image, 6)
    if end and end <= (clock.day, clock.second):
        return _state(control, response, TIMING)
    control.model.patch(_ET30, _ET30_LOCK_START, image)
    rare.load("meter.schedule").run(control)
    return _state(control, response, DONE)

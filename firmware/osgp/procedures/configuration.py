"""Rare: the meter's configuration. EP00, EP01, EP06, EP27, EP28, EP37.

    EP06 n x {table 2, entries 2}   EP37 {table 2, entries 2, entry size 2}
    EP27 {action 1, group id 2}   EP28 {battery on 1}

(Numbers and names: `osgp.md` 4; the parameters are by profile.)
"""

from micropython import const

import rare
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE, NO_AUTHORIZATION

_CALIBRATE = const(2048)
_REFRESH = const(2048 + 1)
_CONFIGURE_LOGS = const(2048 + 6)
_GROUP = const(2048 + 27)
_BATTERY = const(2048 + 28)
_RESIZE_LOG = const(2048 + 37)

_ET36 = const(2048 + 36)
_ET38 = const(2048 + 38)
_LOGS = const(7)
_LOG = const(17)  # octets of a log in ET36: table 2, entry size 2, most entries 2, entries 2 ..
_HEADER = const(6)


def run(number, parameters, response, device, now):
    """One of the procedures above. None has data in its response."""
    result = BAD_PARAMETER
    if number == _CALIBRATE:
        result = NO_AUTHORIZATION  # no door may calibrate (profile 6)
    elif number == _REFRESH:
        device.application.registers.save()
        result = DONE
    elif number == _CONFIGURE_LOGS:
        result = _configure_logs(device, parameters)
    elif number == _RESIZE_LOG:
        result = _resize_log(device, parameters)
    elif number == _GROUP:
        group = parameters[1] | parameters[2] << 8
        result = rare.run("osgp.groups", device.model, parameters[0], group)
    elif number == _BATTERY and parameters[0] <= 1:
        result = CONFLICT if parameters[0] else DONE  # there is none, so it is off
    return result, 0


def _u16(octets, at):
    return octets[at] | octets[at + 1] << 8


def _configure_logs(device, parameters):
    if len(parameters) % 4:
        return BAD_PARAMETER
    wanted = [(_u16(parameters, k), _u16(parameters, k + 2)) for k in range(0, len(parameters), 4)]
    return _resize(device, _CONFIGURE_LOGS, wanted)


def _resize_log(device, parameters):
    table = _u16(parameters, 0)
    body = device.model.load(_ET36)
    at = _place(body, table)
    if at < 0:
        return BAD_PARAMETER
    if _u16(parameters, 4) not in (0, _u16(body, at + 2)):
        return CONFLICT
    return _resize(device, _RESIZE_LOG, ((table, _u16(parameters, 2)),))


def _place(body, table):
    """Where ET36 has a log; -1: it has not."""
    for at in range(1, 1 + _LOGS * _LOG, _LOG):
        if _u16(body, at) == table:
            return at
    return -1


def _resize(device, procedure, wanted):
    """Give logs their numbers of entries: all or none. Only ET38 can take another than it has."""
    model = device.model
    body = model.load(_ET36)
    changed = False
    for table, entries in wanted:
        at = _place(body, table)
        if at < 0 or entries > _u16(body, at + 4):
            return BAD_PARAMETER
        if entries == _u16(body, at + 6):
            continue
        if table != _ET38 or not entries:
            return CONFLICT
        body[at + 6] = entries
        changed = True
    if changed:
        log = model.load(_ET38)
        emptied = bytearray(len(log))
        emptied[0] = log[0] & ~2  # nothing of it is lost any more
        emptied[3:5] = log[3:5]  # sequence numbers go on
        model.patch(_ET38, 0, emptied)
        model.patch(_ET36, 0, body)
        rare.run("osgp.interface", device, procedure)
    return DONE

"""Rare: EP24, post a one-time read: of the meter into ET19, of an M-Bus device into ET20.

The entry is done by `meter/waiting.py` when its time comes (MEP p.103-105, profile).
"""

from micropython import const

from meter.clock import from_ltime
from meter.registers import put16
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE

ET14 = const(2048 + 14)
ET19 = const(2048 + 19)
ET20 = const(2048 + 20)
QUEUE_FULL = const(7)

_BILLING_READ = const(2)
_ENTRY = const(17)  # transaction 2, handle 2, type 1, result 1, due 6, sequence 2, reserved 3
_TYPE = const(4)
_RESULT = const(5)
_DUE = const(6)
_SEQUENCE = const(12)
_LTIME = const(6)

_OCCUPANCY = const(5)  # ET14
_STATUS_AT = const(6)
_STATUS = const(36)
_MBUS = const(4)


def run(number, parameters, response, device, now):
    """EP24 {transaction 2, handle 2, due 6} -> index."""
    due = parameters[4 : 4 + _LTIME]
    if any(due) and from_ltime(due, 0) is None:
        return BAD_PARAMETER, 0
    handle = parameters[2] | parameters[3] << 8
    if handle and not is_installed(device.model.load(ET14), handle):
        return CONFLICT, 0
    table = ET20 if handle else ET19
    queue = device.model.load(table)
    for at in range(0, len(queue), _ENTRY):
        if not queue[at + _TYPE] or queue[at + _RESULT]:
            break
    else:
        return QUEUE_FULL, 0
    entry = bytearray(_ENTRY)
    entry[:_TYPE] = parameters[:_TYPE]
    entry[_TYPE] = _BILLING_READ
    entry[_DUE : _DUE + _LTIME] = due
    put16(entry, _SEQUENCE, device.waiting.log.count)
    device.model.patch(table, at, entry)
    device.waiting.again = True
    response[0] = at // _ENTRY
    return DONE, 1


def is_installed(status, handle):
    """Whether an M-Bus device has this handle."""
    for k in range(_MBUS):
        at = _STATUS_AT + _STATUS * k
        if status[_OCCUPANCY] >> k & 1 and (status[at] | status[at + 1] << 8) == handle:
            return True
    return False

"""Rare: EP39, post MEP data: the MEP client's entry of ET16, and its alerts in ET13.

The parameters are as an open MEP client sends them (`tables/extended/mep_data.py`).
"""

from micropython import const

from meter.clock import to_ltime
from meter.registers import put16, put32
from meter.waiting import DATA
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE

ET13 = const(2048 + 13)
ET14 = const(2048 + 14)
ET50 = const(2048 + 50)
MEP_ALARM = const(81)  # argument: device in bits 13-15, what happened in 0-12

_READ_AND_ALARMS = const(4)  # types
_CLEAR_DELTA = const(12)
_SUCCESS = const(1)

_ALERTS = const(272)  # ET13: of the MEP client
_SCHEDULED_READ = const(0x01)
_DELTA_DATA = const(0x10)
_FLAGS = const(30)  # ET50
_REGISTERED = const(0x01)

_RECORD = const(517)  # an entry of ET16: time 6 | 0 | reads 2 | length 2 | data
_READS = const(7)
_LENGTH = const(9)
_HEAD = const(11)

_CLIENT = const(4)  # its index
_STATUS_AT = const(150)  # ET14: of the MEP client
_BILLING_LENGTH = const(4)
_ANSWERS = const(10)
_ALARMS = const(14)
_BILLING_DATA = const(0x01)
_BILLING_OVERFLOW = const(0x08)
_OVERFLOW_BIT = const(3)


def run(number, parameters, response, device, now):
    """EP39 {type 1, outcome 1, length 2, data}."""
    kind = parameters[0]
    data = parameters[4:]
    if kind not in (_READ_AND_ALARMS, _CLEAR_DELTA):
        return BAD_PARAMETER, 0
    if len(data) != parameters[2] | parameters[3] << 8:
        return BAD_PARAMETER, 0
    if not device.model.load(ET50)[_FLAGS] & _REGISTERED:
        return CONFLICT, 0
    if kind == _CLEAR_DELTA:
        clear(device, _DELTA_DATA)
        return DONE, 0
    if parameters[1] == _SUCCESS:
        keep(device, data)
    clear(device, _SCHEDULED_READ)
    return DONE, 0


def clear(device, bit):
    """An alert in ET13 was answered."""
    flags = device.model.load(ET13)[_ALERTS]
    if flags & bit:
        device.model.patch(ET13, _ALERTS, bytes([flags & ~bit]))


def keep(device, data):
    """The data become the MEP client's entry of ET16; ET14 and the MEP alarm tell of them."""
    record = bytearray(_HEAD)
    if device.settings.window(DATA) >= _HEAD:
        device.settings.copy(0, record, 0, _HEAD)
    application = device.application
    if application.clock.valid:
        application.calendar.at(application.clock.day, application.clock.second)
        to_ltime(application.calendar.local_day, application.calendar.local_second, record, 0)
    record.extend(data[: _RECORD - _HEAD])
    put16(record, _READS, (record[_READS] | record[_READS + 1] << 8) + 1)
    put16(record, _LENGTH, len(record) - _HEAD)
    device.settings.replace(DATA, record, len(record))

    status = device.model.load(ET14)[_STATUS_AT:]
    put16(status, _BILLING_LENGTH, len(record))
    count = status[_ANSWERS] | status[_ANSWERS + 1] << 8 | status[_ANSWERS + 2] << 16
    put32(status, _ANSWERS, count + 1)
    new = _BILLING_DATA
    if len(data) > len(record) - _HEAD:
        new |= _BILLING_OVERFLOW
    new &= ~status[_ALARMS]
    status[_ALARMS] |= new
    device.model.patch(ET14, _STATUS_AT, status)
    if new & _BILLING_DATA:
        device.events.post(MEP_ALARM, (_CLIENT + 1) << 13)
    if new & _BILLING_OVERFLOW:
        device.events.post(MEP_ALARM, (_CLIENT + 1) << 13 | _OVERFLOW_BIT)

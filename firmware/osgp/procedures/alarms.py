"""Rare: alarms and the logs of ET36. EP03: clear alarms, EP25: a log is empty, EP26: it was read.

    EP03 {alarms 12: BT03 from octet 1 on; critical 2: ET22's pending bitmaps}
    EP25 {table 2}   EP26 {table 2, entries 2}

(By profile; of EP26 the MEP guide says what it is for and that the alarm of unread entries goes
with the last of them, p.107-108.)
"""

from micropython import const

from osgp.procedures.results import BAD_PARAMETER, DONE

_CLEAR_ALARMS = const(2048 + 3)
_RESET_LOGS = const(2048 + 25)
_EVERY_LOG = const(0xFFFF)

_BT03 = const(3)
_ALARMS = const(12)
_ET22 = const(2048 + 22)
_CRITICAL_PENDING = const(417)
_ET36 = const(2048 + 36)
_UNREAD_LOGS = const(120)  # its bitmap, in the order of its logs:
_LOGS = (31, 32, 38, 41, 45, 75, 81)

# alarms, as `Events.alarm` counts, whose cause may last
_CLOCK_ERROR = const(6)
_OVERFLOW_PENDING = const(46)
_LOG_ENTRY = const(47)
_LOG_UNREAD = const(52)
_FEW = const(80)


def run(number, parameters, response, device, now):
    """EP03, EP25 or EP26."""
    if number == _CLEAR_ALARMS:
        return clear(parameters, device), 0
    table = parameters[0] | parameters[1] << 8
    logs = [_log(device, one) for one in _LOGS if table in (2048 + one, _EVERY_LOG)]
    if number == _RESET_LOGS:
        read = 0xFFFF
    elif table != _EVERY_LOG:
        read = parameters[2] | parameters[3] << 8
    else:
        return BAD_PARAMETER, 0
    if not logs or (number != _RESET_LOGS and read > logs[0].unread):
        return BAD_PARAMETER, 0
    for log in logs:
        if number == _RESET_LOGS:
            log.reset_list()
        else:
            log.read_entries(read)
    _show_unread(device)
    return DONE, 0


def clear(parameters, device):
    """Clear what the caller names and whose cause does not last."""
    cleared = bytearray(parameters[:_ALARMS])
    for place in _lasting(device):
        cleared[place >> 3] &= ~(1 << (place & 7)) & 0xFF
    model = device.model
    alarms = model.load(_BT03)[1:]
    model.patch(_BT03, 1, bytes([alarms[k] & ~cleared[k] & 0xFF for k in range(_ALARMS)]))
    pending = model.load(_ET22)[_CRITICAL_PENDING:]
    left = bytes([pending[k] & ~parameters[_ALARMS + k] & 0xFF for k in range(2)])
    if left != pending:
        model.patch(_ET22, _CRITICAL_PENDING, left)
    return DONE


def _lasting(device):
    """The alarms that would come again at once."""
    found = []
    if not device.application.clock.valid:
        found.append(_CLOCK_ERROR)
    unread = device.events.log.unread
    if unread:
        found.append(_LOG_UNREAD)
    if unread >= _FEW:
        found.append(_OVERFLOW_PENDING)
    if _unread_logs(device):
        found.append(_LOG_ENTRY)
    return found


def _unread_logs(device) -> int:
    """The logs that have unread entries, as bits in the order of ET36."""
    found = 0
    for k in range(len(_LOGS)):
        if _log(device, _LOGS[k]).unread:
            found |= 1 << k
    return found


def _show_unread(device):
    """ET36 tells which logs have unread entries, and BT03 whether one has."""
    unread = _unread_logs(device)
    device.model.patch(_ET36, _UNREAD_LOGS, bytes((unread,)))
    if not unread:
        device.events.alarm(_LOG_ENTRY, False)


def _log(device, number):
    """What has `unread`, `read_entries(n)` and `reset_list()` of a log of ET36."""
    if number == 31:
        return device.waiting.log
    if number == 41:
        return device.application.resets
    if number in (38, 81):
        return Stored(device.model, 2048 + number)
    return Nothing()


class Stored:
    """A log with the standard header that lies in a stored table: ET38, ET81.

    flags 1 | valid entries 1 | index of the newest 1 | its sequence number 2 | unread 1 | entries
    """

    def __init__(self, model, number):
        self._model = model
        self._number = number
        self._header = model.load(number)[:6]
        self.unread = self._header[5]

    def read_entries(self, n):
        """So many of the unread entries, the oldest ones, were read. An overflow is over."""
        header = self._header
        header[0] &= 0xFD
        header[5] -= n
        self._model.patch(self._number, 0, header)

    def reset_list(self):
        """It has no entries; sequence numbers go on."""
        self._header[1] = self._header[2] = 0
        self.read_entries(self.unread)


class Nothing:
    """A log into which this meter puts nothing: ET32, ET45, ET75."""

    unread = 0

    def read_entries(self, n):
        pass

    def reset_list(self):
        pass

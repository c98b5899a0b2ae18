"""Rare: pointers of lists. BP04: reset them, BP05: so many unread entries were read.

    BP04 {LIST 1}   BP05 {LIST 1, entries 2}

What is unread is told by the meter and taken back by a host alone. Codes of LIST: 1 the alternate
event log, 2 self reads, 3 to 6 the load profile's sets, 7 the event log, 255 all. (Source: C12.19
procedures 4 and 5; this meter's event log is C12.19's history log, code 7; code 1, C12.19's event
log, which is not there, names the alternate one: profile.)
"""

import struct

from micropython import const

from osgp.event_log import ENTRIES
from osgp.procedures.results import BAD_PARAMETER, DONE

_RESET = const(4)

_ALTERNATE = const(1)
_SELF_READS = const(2)
_PROFILE = const(3)
_HISTORY = const(7)
_ALL = const(255)

# events
_LIST_RESET = const(14)
_LIST_UPDATED = const(15)
_HISTORY_CLEARED = const(16)
_HISTORY_UPDATED = const(17)
_ALTERNATE_CLEARED = const(18)
_ALTERNATE_UPDATED = const(19)

# alarms of what is unread
_OVERFLOW_PENDING = const(46)
_UNREAD = const(52)
_FEW = const(80)


def run(number, parameters, response, device, now):
    """BP04 or BP05."""
    code = parameters[0]
    lists = _lists(device, code)
    read = -1 if number == _RESET else parameters[1] | parameters[2] << 8
    if not lists or (code != _ALL and read > lists[0].unread):
        return BAD_PARAMETER, 0
    for one in lists:
        if read < 0:
            one.reset_list()
        else:
            one.read_entries(min(read, one.unread))
    if code in (_HISTORY, _ALL):
        _tell_history(device.events, read)
    if code in (_ALTERNATE, _ALL):
        device.events.post(_ALTERNATE_CLEARED if read < 0 else _ALTERNATE_UPDATED, max(read, 0))
    if code not in (_HISTORY, _ALTERNATE):
        device.events.post(_LIST_RESET if read < 0 else _LIST_UPDATED, code)
    return DONE, 0


def _lists(device, code):
    """The lists of a code; none: the code has no list."""
    events = device.events
    lists = {
        _ALTERNATE: Entries(events.alternate, device.settings),
        _HISTORY: Entries(events.log, device.settings),
    }
    lists[_SELF_READS] = device.self_reads
    for k in range(len(device.profiles)):
        if device.profiles[k]:
            lists[_PROFILE + k] = device.profiles[k]
    if code == _ALL:
        return list(lists.values())
    return [lists[code]] if code in lists else []


def _tell_history(events, read):
    """The alarms that go when the event log has been read, and the event of that."""
    unread = events.log.unread
    if unread < _FEW:
        events.alarm(_OVERFLOW_PENDING, False)
    if not unread:
        events.alarm(_UNREAD, False)
    events.post(_HISTORY_CLEARED if read < 0 else _HISTORY_UPDATED, max(read, 0))


class Entries:
    """An event log as one of the lists."""

    def __init__(self, log, settings):
        self.unread = log.unread
        self._log = log
        self._settings = settings

    def read_entries(self, n):
        """The n oldest of the unread entries that are still there were read."""
        log = self._log
        self._move(log.base, max(log.mark, log.ring.last - ENTRIES) + n)

    def reset_list(self):
        """The list becomes empty. Sequence numbers go on."""
        self._move(self._log.ring.last, self._log.ring.last)

    def _move(self, base, mark):
        """Keep the two numbers, one more than they are, and then let them hold."""
        self._settings.replace(self._log.name, struct.pack("<II", base + 1, mark + 1), 8)
        self._log.base = base
        self._log.mark = mark

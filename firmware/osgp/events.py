"""Events: what happened, as entries of two logs (BT74, ET79) and as alarms (BT03).

No event floods a log: of each the first 16 at once and one more an hour are logged. What comes
above that begins with one entry of the user FFFC with the argument 0, and ends, when an hour
passed without it, with one of the user FFFC whose argument is how many have no entry. Alarms are
set all the same.
"""

from micropython import const

import rare
import ticks
from meter.clock import DAY, to_ltime
from meter.registers import put16
from osgp.event_log import SIZE, Log
from osgp.kernels import copy, fill
from tables.model import NOBODY

BT03 = const(3)
BT42 = const(42)
BT73 = const(73)
BT74 = const(74)
ET22 = const(2048 + 22)
ET79 = const(2048 + 79)

TIME_CHANGED_OLD = const(3)
TIME_CHANGED_NEW = const(4)
PROCEDURE_INVOKED = const(9)
TABLE_WRITTEN = const(10)
PENDING_ACTIVATED = const(28)
PENDING_CLEARED = const(29)
RELAY_OPEN = const(67)
BAD_PASSWORD = const(72)
LOG_OVERFLOW_PENDING = const(86)
LOG_UNREAD = const(92)
PROFILE_UNREAD = const(94)

NOT_LOGGED = const(0xFFFC)  # the user of an entry that stands for events without one

_PENDING = const(80)  # unread entries at which somebody ought to come and read

_PASSWORDS_WRITTEN = const(57)  # alarm

_EVENTS = const(110)
_AT_ONCE = const(16)  # entries of one event, and of the newest that are looked at after a start
_FLOOD = const(17)  # it has had its allowance, and is quiet this hour
_RAGING = const(18)  # and it happened again
_MINUTE = const(60000)  # ms

# ET22 (`tables/extended/log.py`), and what is kept of it in RAM
_BITMAP = const(27)  # octets: a bit an event
_BITMAPS = const(10)
_CRITICAL = const(120)
_ALTERNATE = const(390)
_MASKED = const(12)  # octets: a bit an alarm, as in BT03 from octet 1 on
_IN_CRITICAL = const(12)  # in any of the bitmaps
_IN_ALTERNATE = const(39)
_SELECTION = const(66)
_CRITICAL_BITS = const(96)
_ALTERNATE_BITS = const(312)

# BT73: where the monitored tables and procedures begin, in bits
_BASIC_TABLES = const(216)
_EXTENDED_TABLES = const(296)
_BASIC_PROCEDURES = const(456)
_EXTENDED_PROCEDURES = const(472)


class Events:
    """Takes events in.

    application: has the `clock`, and the moment of `registers` up to which it made up for the
    past when it is `behind`. It is made after the events, and until then they have no time.
    """

    def __init__(self, model, settings, primary, alternate):
        """primary, alternate: rings of payloads of SIZE, for BT74 and ET79."""
        self.application: ... = None
        self.log = Log(primary, settings, "BT74")
        self.alternate = Log(alternate, settings, "ET79")
        self.sequence = max(self.log.sequence, self.alternate.sequence)  # of the last entry
        self.doors: tuple = ()  # with `failures`: requests under a wrong key since the start
        self.lost = 0  # entries and alarms that flash did not take
        self._model = model
        self._alarms = model.body(BT03)
        self._monitored = model.body(BT73)
        self._selection = bytearray(_SELECTION)
        self._entry = bytearray(SIZE)
        self._spent = bytearray(_EVENTS)  # by event: entries that its allowance lacks
        self._floods = {}  # by event: how many have no entry
        self._failures = 0
        self._minutes = 0
        self._due = None
        model.reader(BT74, self.log.read)
        model.reader(ET79, self.alternate.read)
        model.subscribe(ET22, self._configure)
        self._configure()
        for number in range(max(primary.last - _AT_ONCE + 1, 0), primary.last + 1):
            # a restart does not give a flood its allowance again
            if primary.read(number, self._entry) and self._entry[10] < _EVENTS:
                self._spent[self._entry[10]] += 1

    def _configure(self):
        """Take over ET22."""
        body = self._model.load(ET22)
        selection = self._selection
        copy(selection, 0, body, 0, _MASKED)
        copy(selection, _IN_ALTERNATE, body, _ALTERNATE, _ALTERNATE + _BITMAP)
        for k in range(_BITMAP):
            critical = 0
            for at in range(_CRITICAL + k, _CRITICAL + _BITMAP * _BITMAPS, _BITMAP):
                critical |= body[at]
            selection[_IN_CRITICAL + k] = critical

    def post(self, event: int, argument: int = 0, day: int = -1, second: int = 0):
        """An event happened: standard number 1 to 50 or extended 64 to 109, argument UINT16.

        It sets its alarm, and is logged where BT73 and ET22 say. It happened at the moment up to
        which the application has counted, or at `second` of UTC `day`. Safe when this returns;
        what flash does not take is counted in `lost`.
        """
        place = alarm_of(event, argument)
        if place >= 0:
            self.alarm(place)
        if _has(self._selection, _CRITICAL_BITS + event):
            try:
                rare.run("osgp.critical", self._model, event)
            except OSError:
                self.lost += 1
        if not (_has(self._monitored, event) or _has(self._selection, _ALTERNATE_BITS + event)):
            return
        spent = self._spent[event]
        if spent > _AT_ONCE:
            self._spent[event] = _RAGING
            self._floods[event] = min(self._floods.get(event, 0) + 1, 0xFFFF)
            return
        self._spent[event] = spent + 1
        user = self._model.user
        if spent == _AT_ONCE:
            self._floods[event] = 1
            user = NOT_LOGGED
            argument = 0
        self._append(event, argument, user, day, second)

    def _append(self, event, argument, user, day, second):
        """Log an entry with the next sequence number, where the event is to be logged."""
        entry = self._entry
        fill(entry, 0, SIZE, 0)
        if day < 0 and self.application and self.application.clock.valid:
            moment = self.application.clock
            if self.application.behind and user == NOBODY:
                moment = self.application.registers
            day = moment.day
            second = moment.second
        if day >= 0:
            to_ltime(day + second // DAY, second % DAY, entry, 0)
        self.sequence += 1
        put16(entry, 6, self.sequence)
        put16(entry, 8, user)
        put16(entry, 10, event)
        put16(entry, 12, argument)
        put16(entry, 14, self.sequence >> 16)
        before = self.log.unread
        try:
            if _has(self._selection, _ALTERNATE_BITS + event):
                self.alternate.ring.append(entry)
                self.alternate.sequence = self.sequence
            if _has(self._monitored, event):
                self.log.ring.append(entry)
                self.log.sequence = self.sequence
        except OSError:
            self.lost += 1
        unread = self.log.unread
        if before == 0 < unread:
            self.post(LOG_UNREAD)
        if before < _PENDING <= unread:
            self.post(LOG_OVERFLOW_PENDING, unread)

    def alarm(self, place: int, on: bool = True):
        """Set or clear an alarm: bit `place` of BT03, counted from its octet 1 on.

        One that ET22 masks is not set. Flash is written when the bit changes.
        """
        o = 1 + (place >> 3)
        bit = 1 << (place & 7)
        if bool(self._alarms[o] & bit) == on or (on and _has(self._selection, place)):
            return
        self._alarms[o] ^= bit
        try:
            self._model.keep(BT03)
        except OSError:
            self.lost += 1

    def written(self, number: int):
        """A host has written a table."""
        if number == BT42:
            self.alarm(_PASSWORDS_WRITTEN)
        place = _EXTENDED_TABLES if number & 2048 else _BASIC_TABLES
        if _has(self._monitored, place + (number & 2047)):
            self.post(TABLE_WRITTEN, number)

    def initiated(self, number: int):
        """A host has initiated a procedure."""
        place = _EXTENDED_PROCEDURES if number & 2048 else _BASIC_PROCEDURES
        if _has(self._monitored, place + (number & 2047)):
            self.post(PROCEDURE_INVOKED, number)

    def activated(self, number: int, done: bool):
        """A pending table became the table of this number, or it was cleared."""
        self.post(PENDING_ACTIVATED if done else PENDING_CLEARED, number)

    def clock_set(self, day: int, second: int):
        """The clock was set; it had this moment before, none where day is negative."""
        if day >= 0:
            self.post(TIME_CHANGED_OLD, 0, day, second)
        self.post(TIME_CHANGED_NEW)

    def poll(self, now: int) -> int:
        """Due once a minute."""
        if self._due is None:
            self._due = ticks.add(now, _MINUTE)
        if ticks.diff(now, self._due) >= 0:
            self._due = ticks.add(now, _MINUTE)
            self._end_minute()
        return self._due

    def _end_minute(self):
        """Wrong keys, as one event. Once an hour: floods that ended, and allowances."""
        failures = 0
        for door in self.doors:
            failures += door.failures
        if failures != self._failures:
            self.post(BAD_PASSWORD, min(failures - self._failures, 0xFFFF))
            self._failures = failures
        self._minutes = (self._minutes + 1) % 60
        if self._minutes:
            return
        for event in range(_EVENTS):
            spent = self._spent[event]
            if spent:
                self._spent[event] = spent - 1
            if spent == _FLOOD:
                self._append(event, self._floods.pop(event), NOT_LOGGED, -1, 0)


def alarm_of(event: int, argument: int = 0) -> int:
    """The alarm of an event, as `Events.alarm` counts; -1: it has none."""
    if event == PROFILE_UNREAD and 2 <= argument <= 4:  # extended status: set 2 to 4
        return 14 + argument
    if event == RELAY_OPEN and argument == 1:  # the second relay
        return 64
    if 64 <= event <= 94:  # manufacturer status
        return event - 40
    if 37 <= event <= 46:  # standard status: configuration error to demand overload
        return event - 36
    if 47 <= event <= 50:  # cover removed to disconnect switch error
        return event - 35
    if event == 1:  # power failure
        return 11
    return 55 if event == 107 else -1  # load-side voltage


def _has(bitmap, k) -> int:
    return bitmap[k >> 3] >> (k & 7) & 1

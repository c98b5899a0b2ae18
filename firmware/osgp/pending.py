"""Pending tables: 4096 + n is what table n is going to become, and when (OPT p.8-12).

In front of a pending table's octets stands its description (PED): event code and flags 1, storage
5. A count includes it, an offset does not. One settings value a table, "PBT54", holds all of it,
so that it changes as a whole:

    PED 6 | due: day 2, second 3 | state 1 | demand resets before 1 | last activation 5 | body

The moment of a description after a time is worked out when it is written; a clock that is set
takes it along, so that the time passes and not the clock (profile). What is due is activated when
the application has counted up to that moment: at the second in ordinary life, and in the right
order when a time without power is made up for. A description of zeros is none: what is written
under it is kept and not pending.
"""

from micropython import const

import rare
from osgp.kernels import copy, fill
from tables.model import NOT_POSSIBLE, OK

PED = const(6)
HEADER = const(18)

# places in the header
DUE = const(6)
STATE = const(11)
RESETS = const(12)
LAST = const(13)

# bits of STATE
WAITING = const(1)  # it is pending
TIMED = const(2)  # and its moment stands in the header
PREPARED = const(4)  # its activation has begun

_BT04 = const(4)
_LATER = const(0xFFFF)  # a day that does not come


class Pending:
    """The pending tables of a model. What is rarely done for them is in rare modules."""

    def __init__(self, numbers, model, settings, application, before):
        """numbers: the tables that have one. application: `clock`, `registers`.

        before(self_read, demand_reset): does what a description asks for before its activation.
        """
        self.numbers = numbers
        self.model = model
        self.settings = settings
        self.application = application
        self.before = before
        self.refused = 0  # activations that a table's checker did not let happen
        self.on_event: ... = None  # f(number, activated): one was activated, or cleared
        self.headers = bytearray(HEADER * len(numbers))
        self._day = _LATER  # the first moment at which something is due
        self._second = 0
        for k in range(len(numbers)):
            if settings.window(self.name(k)) >= HEADER:
                settings.copy(0, self.headers, k * HEADER, HEADER)
        self.look()
        model.pending = self
        body = model.body(_BT04)
        model.before_read(_BT04, lambda: rare.run("osgp.pending_status", self, body))

    def name(self, k: int) -> str:
        """Of the settings value of numbers[k]."""
        return "P" + self.model.name(self.numbers[k])

    def look(self):
        """The headers have changed: when is something due?"""
        headers = self.headers
        self._day = _LATER
        for at in range(0, len(headers), HEADER):
            if headers[at + STATE] & (WAITING | TIMED) == WAITING | TIMED:
                day, second = due(headers, at)
                if day < self._day or (day == self._day and second < self._second):
                    self._day = day
                    self._second = second

    def size(self, number: int) -> int:
        """Octets of the pending table of a table that has one, its description included."""
        return PED + self.model.size(number)

    def read(self, number: int, offset: int, n: int, buf, o: int) -> int:
        """`Model.read` of a pending table. What was never written reads as 0."""
        if n < PED:
            return NOT_POSSIBLE
        k = self.numbers.index(number)
        inside = min(n - PED, self.settings.window(self.name(k)) - HEADER - offset)
        inside = max(inside, 0)
        copy(buf, o, self.headers, k * HEADER, k * HEADER + PED)
        if inside:
            self.settings.copy(HEADER + offset, buf, o + PED, inside)
        fill(buf, o + PED + inside, o + n, 0)
        return OK

    def write(self, number: int, offset: int, buf, a: int, n: int) -> int:
        """`Model.write` of a pending table: the description and octets at `offset`."""
        if n < PED:
            return NOT_POSSIBLE
        k = self.numbers.index(number)
        return rare.run("osgp.pending_write", self, k, offset, buf, a, n)

    def keep(self, k: int, value):
        """Make this the value of numbers[k]. Returns when it is safe."""
        self.settings.replace(self.name(k), value, len(value))
        copy(self.headers, k * HEADER, value, 0, HEADER)
        self.look()

    def step(self, seconds: int):
        """The application has counted on: activate what is due by now (`on_step`)."""
        registers = self.application.registers
        if self._day < registers.day or (
            self._day == registers.day and self._second <= registers.second
        ):
            rare.run("osgp.activation", self, registers.day, registers.second)

    def clock_changed(self, day: int, second: int):
        """The clock was set, and it had been this moment: move what is due after a time.

        day -1: it had none, as at a start, and what is due stays where it is.
        """
        clock = self.application.clock
        if self._day != _LATER and day >= 0:
            rare.run("osgp.pending_shift", self, clock.day - day, clock.second - second)


def due(header, at: int):
    """(day, second) at which the header at header[at:] is due."""
    at += DUE
    day = header[at] | header[at + 1] << 8
    return day, header[at + 2] | header[at + 3] << 8 | header[at + 4] << 16


def set_due(header, at: int, day: int, second: int):
    """Put the moment into the header at header[at:]."""
    at += DUE
    header[at] = day & 0xFF
    header[at + 1] = day >> 8
    header[at + 2] = second & 0xFF
    header[at + 3] = second >> 8 & 0xFF
    header[at + 4] = second >> 16

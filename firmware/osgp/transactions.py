"""Transactions: requests written into one table, their responses read from another (MEP p.43-50).

    ET27, ET28   size 2, of all | type 1 | number 2 | records | number 2 again
    type 3       in front of the records: groups n 1 | n x group id 2
    record       length 2 | a table command, or the response to one, as `services.py` has them

All but what stands inside a record is little-endian. A request comes in consecutive writes. When
its end number has come and is its number, it is kept, carried out and answered in one go: nobody
sees half of it. If power goes meanwhile it is carried out at the next start. The same number with
the same octets is not carried out twice in a row.
"""

from micropython import const

import rare
from osgp.kernels import fill
from tables.model import NOT_POSSIBLE, OK

_SHORTEST = const(7)  # of a request: no record


class Transactions:
    """A pair of tables."""

    def __init__(self, request: int, response: int, model, settings, services, groups, may=None):
        """request, response: numbers of served tables. services: carries the records out.

        groups(): the group ids that this device has. may: what a group may be told to do
        (`group_rights.py`).
        """
        self.request = request
        self.response = response
        self.settings = settings
        self.services = services
        self.groups = groups
        self.may = may
        self.waiting = False  # a request is kept that was not carried out: a broadcast's
        self.limit = model.size(request)
        self.executed = 0
        self._draft = None  # what has come of a request that is not complete
        self._filled = 0
        model.writer(request, self._write)
        model.reader(request, lambda offset, n, buf, o: self._read("TQ", 1, offset, n, buf, o))
        model.reader(response, lambda offset, n, buf, o: self._read("TR", 2, offset, n, buf, o))

    def name(self, part: str) -> str:
        """Of a settings value: the request TQ {level and layout of the tables 1 | octets}, the
        response TR {CRC of its request 2 | octets}."""
        return "%s%d" % (part, self.request)

    def _read(self, part, header, offset, n, buf, o):
        kept = max(0, min(n, self.settings.window(self.name(part)) - header - offset))
        if kept:
            self.settings.copy(header + offset, buf, o, kept)
        fill(buf, o + kept, o + n, 0)

    def _write(self, offset, buf, a, n, level, now) -> int:
        """Octets of a request: the next ones, or some that are there already."""
        if offset == 0 and self._is_new(buf, a, n):
            self._draft = bytearray(self.limit)
            self._filled = 0
        draft = self._draft
        if draft is None or offset > self._filled:
            return NOT_POSSIBLE
        end = min(offset + n, self.limit)
        draft[offset:end] = buf[a : a + end - offset]
        self._filled = max(self._filled, end)
        size = draft[0] | draft[1] << 8 if self._filled >= 2 else self.limit
        if _SHORTEST <= size <= self.limit and self._filled < size:
            return OK
        self._draft = None
        return rare.load("osgp.execution").run(self, draft, size, level, now)

    def _is_new(self, buf, a, n) -> bool:
        """Whether the octets from the beginning on are not those that have come already."""
        return self._draft is None or self._draft[:n] != buf[a : a + n]

    def resume(self, now: int):
        """At a start: carry out a request that was kept and has no response."""
        rare.load("osgp.execution").run(self, None, 0, 0, now)

"""Rare: a transaction is kept, carried out and answered (MEP p.43-50, p.128-130)."""

from micropython import const

import rare
from osgp.kernels import copy, crc16
from osgp.services import ERROR, command_length
from tables.compiled import LAYOUT
from tables.model import NOT_POSSIBLE, OK

_REQUESTS = const(0)  # types
_RESPONSES = const(1)
_PARTIAL = const(2)
_GROUP = const(3)
_DENIED = const(4)

_TYPE = const(2)  # places
_NUMBER = const(3)
_RECORDS = const(5)
_SHORTEST = const(7)
_PAIRS = (2048 + 27, 2048 + 28, 2048 + 52, 2048 + 53)  # the tables of transactions
_LEVEL = const(1)  # octets in front of a kept request: level (bits 0-1) and layout
_CRC = const(2)  # and of a kept response
_READ_HEADER = const(3)  # octets of a read's response in front of its data


def run(transactions, draft, size, level, now):
    """draft[:size] is a request that has come; draft None: the one that was kept, if any.

    Returns the response code to whoever wrote the last of it. A Pico's stack holds some thirty
    calls, and below `services.run` there may be fifteen: so it is called from here.
    """
    if draft is not None and not _is_request(draft, size):
        return NOT_POSSIBLE
    for work in _works(transactions, draft, size, level):
        while work.find():
            stop = transactions.services.run(
                work.request, work.a, work.at, work.value, work.o + 2, work.level, now
            )
            work.answered(stop)
        work.keep()
    return OK


def _is_request(draft, size):
    if not _SHORTEST <= size <= len(draft) or draft[_TYPE] not in (_REQUESTS, _GROUP):
        return False
    end = size - 2
    return draft[_NUMBER] == draft[end] and draft[_NUMBER + 1] == draft[end + 1]


def _works(transactions, draft, size, level):
    """What there is to carry out: what was kept and has no response; what has come, once that is
    kept, unless it is what was carried out last."""
    if draft is None or transactions.waiting:
        transactions.waiting = False
        value = bytearray(_LEVEL + transactions.limit)
        kept = transactions.settings.load(transactions.name("TQ"), value) - _LEVEL
        ours = value[0] >> 2 == LAYOUT  # else its offsets are of another firmware's tables
        if kept >= _SHORTEST and ours and not _is_done(transactions, value, _LEVEL, kept):
            yield _Work(transactions, value[_LEVEL:], kept, value[0] & 3)
    if draft is not None and not _is_done(transactions, draft, 0, size):
        value = bytes((level | LAYOUT << 2,)) + draft[:size]
        transactions.settings.replace(transactions.name("TQ"), value, len(value))
        yield _Work(transactions, draft, size, level)


def _is_done(transactions, request, a, size):
    """Whether request[a:a+size] is what was carried out last: the same number, the same CRC."""
    if transactions.settings.window(transactions.name("TR")) < _CRC + _RECORDS:
        return False
    head = bytearray(_CRC + _RECORDS)
    transactions.settings.copy(0, head, 0, len(head))
    crc = crc16(request, a, a + size)
    number = request[a + _NUMBER : a + _RECORDS]
    return head[0] == crc & 0xFF and head[1] == crc >> 8 and head[_CRC + _NUMBER :] == number


class _Work:
    """A request that is carried out, and its response as far as it is there: value[:o]."""

    def __init__(self, transactions, request, size, level):
        self.request = request
        self.level = level
        self.value = bytearray(_CRC + transactions.limit)
        self.o = _CRC + _RECORDS
        self.a = 0  # the record at hand is request[a:at]
        self.at = _RECORDS
        self._end = size - 2
        self._codes = None  # of a request to groups: for each record whether it may be
        self._transactions = transactions
        crc = crc16(request, 0, size)
        self.value[0] = crc & 0xFF
        self.value[1] = crc >> 8
        copy(self.value, _CRC + _NUMBER, request, _NUMBER, _RECORDS)
        self.value[_CRC + _TYPE] = _RESPONSES
        if request[_TYPE] == _GROUP:
            self.at = min(_RECORDS + 1 + 2 * request[_RECORDS], self._end)
            rights = rare.load("osgp.group_rights")
            if rights.is_for_us(transactions.groups(), request, self.at):
                self._codes = iter(rights.run(transactions.may, request, self.at, self._end))
            else:
                self.value[_CRC + _TYPE] = _DENIED
                self._end = self.at

    def find(self):
        """Whether there is a record to carry out. Those that may not be are answered here.

        It ends before a record whose length is wrong, and before one whose response has no room.
        """
        request = self.request
        while self.at < self._end:
            at = self.at
            n = request[at] | request[at + 1] << 8 if at + 2 <= self._end else 0
            self.a = at + 2
            self.at = self.a + n
            room = len(self.value) - 2 - self.o
            if (
                n == 0
                or self.at > self._end
                or not _fits(request, self.a, self.at, room, self._transactions)
            ):
                self.value[_CRC + _TYPE] = _PARTIAL
                self._end = 0
                return False
            code = next(self._codes) if self._codes else OK
            if code == OK and _is_command(request, self.a, self.at):
                return True
            self.value[self.o + 2] = code or ERROR
            self.answered(self.o + 3)
        return False

    def answered(self, stop):
        """The response to the record at hand is value[o + 2:stop]."""
        self.value[self.o] = (stop - self.o - 2) & 0xFF
        self.value[self.o + 1] = (stop - self.o - 2) >> 8
        self.o = stop

    def keep(self):
        """The response is whole: what it answers is not carried out again."""
        value = self.value
        copy(value, self.o, self.request, _NUMBER, _RECORDS)
        size = self.o + 2
        value[_CRC] = (size - _CRC) & 0xFF
        value[_CRC + 1] = (size - _CRC) >> 8
        transactions = self._transactions
        transactions.executed += 1
        transactions.settings.replace(transactions.name("TR"), value, size)


def _is_command(draft, a, end):
    """Whether it is a whole command, and not one on a transaction, which it may change."""
    length = command_length(draft, a, end)
    if length >= 0 and length != end - a:
        return False
    if end - a < 3:
        return length < 0
    number = draft[a + 1] << 8 | draft[a + 2]
    return number not in _PAIRS


def _fits(draft, a, end, room, transactions):
    """Whether there is room for the response to the record draft[a:end]."""
    n = 0
    if draft[a] == 0x3F and end - a == 8:
        n = draft[a + 6] << 8 | draft[a + 7]
    elif draft[a] == 0x30 and end - a == 3:
        n = max(0, transactions.services.model.size(draft[a + 1] << 8 | draft[a + 2]))
    return 2 + _READ_HEADER + n <= room

"""Rare: a transaction is kept, carried out and answered (MEP p.43-50, p.128-130)."""

from micropython import const

from osgp.kernels import copy, crc16
from osgp.services import ERROR, command_length
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
_LEVEL = const(1)  # octets in front of a kept request
_CRC = const(2)  # and of a kept response
_READ_HEADER = const(3)  # octets of a read's response in front of its data


def run(transactions, draft, size, level, now):
    """draft[:size] is a request that has come; draft None: the one that was kept, if any.

    Returns the response code to whoever wrote the last of it.
    """
    if draft is None:
        return _resume(transactions, now)
    if not _SHORTEST <= size <= len(draft) or draft[_TYPE] not in (_REQUESTS, _GROUP):
        return NOT_POSSIBLE
    end = size - 2
    if draft[_NUMBER] != draft[end] or draft[_NUMBER + 1] != draft[end + 1]:
        return NOT_POSSIBLE
    if _is_done(transactions, draft, 0, size):
        return OK  # it was carried out already
    value = bytes((level,)) + draft[:size]
    transactions.settings.replace(transactions.name("TQ"), value, len(value))
    _carry_out(transactions, draft, size, level, now)
    return OK


def _resume(transactions, now):
    value = bytearray(_LEVEL + transactions.limit)
    size = transactions.settings.load(transactions.name("TQ"), value) - _LEVEL
    if size >= _SHORTEST and not _is_done(transactions, value, _LEVEL, size):
        _carry_out(transactions, value[_LEVEL:], size, value[0], now)
    return OK


def _is_done(transactions, request, a, size):
    """Whether request[a:a+size] is what was carried out last: the same number, the same CRC."""
    if transactions.settings.window(transactions.name("TR")) < _CRC + _RECORDS:
        return False
    head = bytearray(_CRC + _RECORDS)
    transactions.settings.copy(0, head, 0, len(head))
    crc = crc16(request, a, a + size)
    number = request[a + _NUMBER : a + _RECORDS]
    return head[0] == crc & 0xFF and head[1] == crc >> 8 and head[_CRC + _NUMBER :] == number


def _carry_out(transactions, draft, size, level, now):
    value = bytearray(_CRC + transactions.limit)
    crc = crc16(draft, 0, size)
    value[0] = crc & 0xFF
    value[1] = crc >> 8
    copy(value, _CRC + _NUMBER, draft, _NUMBER, _RECORDS)
    o = _CRC + _RECORDS
    first = _RECORDS
    if draft[_TYPE] == _GROUP:
        first = min(first + 1 + 2 * draft[_RECORDS], size - 2)
    if draft[_TYPE] == _GROUP and not _is_for_us(transactions.groups(), draft, first):
        value[_CRC + _TYPE] = _DENIED
    else:
        value[_CRC + _TYPE], o = _records(transactions, draft, first, size, value, o, level, now)
    copy(value, o, draft, _NUMBER, _RECORDS)
    o += 2
    value[_CRC] = (o - _CRC) & 0xFF
    value[_CRC + 1] = (o - _CRC) >> 8
    transactions.executed += 1
    transactions.settings.replace(transactions.name("TR"), value, o)


def _records(transactions, draft, at, size, value, o, level, now):
    """Carry the records draft[at:] out, their responses to value[o:]: (type, end of them).

    It ends before a record whose length is wrong, and before one whose response has no room.
    """
    end = size - 2
    while at < end:
        n = draft[at] | draft[at + 1] << 8 if at + 2 <= end else 0
        a = at + 2
        at = a + n
        if n == 0 or at > end or not _fits(draft, a, at, len(value) - 2 - o, transactions):
            return _PARTIAL, o
        stop = o + 3
        if _is_command(draft, a, at):
            stop = transactions.services.run(draft, a, at, value, o + 2, level, now)
        else:
            value[o + 2] = ERROR
        value[o] = (stop - o - 2) & 0xFF
        value[o + 1] = (stop - o - 2) >> 8
        o = stop
    return _RESPONSES, o


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


def _is_for_us(groups, draft, first):
    """Whether one of the group ids draft[6:first] is a group of ours (MEP p.129)."""
    for at in range(_RECORDS + 1, first - 1, 2):
        low = draft[at]
        high = draft[at + 1]
        for group in groups:
            if high == 0xFF or (group >> 8 == high and low in (0xFF, group & 0xFF)):
                return True
    return False

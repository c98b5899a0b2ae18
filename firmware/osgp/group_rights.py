"""Rare: which records of a group request may be carried out (`profile.md` 21).

What may be done by broadcast is the board's to say. BROADCAST_MAY in its board.py is a tuple of
these words; a board without it has all but the last:

    relays    EP02 on the control relays, outputs 1 and 2
    levels    EP22, the level of the power limit
    tariff    a write of ET47 or of its pending table; BP13, which activates pending tables
    download  EP08, EP09
    supply    EP02 on output 0, EP23 and EP36: they open and close a supply

BT08 may always be read: behind a procedure it brings the result into the response. A clock is not
set by broadcast: agents repeat one, and a start may carry it out late.
"""

from micropython import const

from osgp.services import FULL_READ, FULL_WRITE, PARTIAL_READ, PARTIAL_WRITE
from tables.model import NO_RIGHT, NOT_POSSIBLE, OK

_DEFAULT = ("relays", "levels", "tariff", "download")
_ANYBODY = ""
_NOBODY = "nobody"

_BT07 = const(7)
_BT08 = const(8)
_ET47 = const(2095)
_PENDING_ET47 = const(4096 + 2095)

_BP13 = const(13)
_EP02 = const(2050)
_EP08 = const(2056)
_EP09 = const(2057)
_EP22 = const(2070)
_EP23 = const(2071)
_EP36 = const(2084)
_GROUPS = const(6)  # where the ids begin in a request to groups
_PARAMETERS = const(8)  # where they begin in 40 0007 count(2) number(2) PSN(1)


def run(may, octets, at: int, end: int) -> bytearray:
    """For each record of octets[at:end] the response code that it would get: OK, or why not.

    `may`: the board's words, None by default. A second procedure is not possible: that one has
    begun is kept of the last one only, and none may happen twice.
    """
    words = _DEFAULT if may is None else may
    codes = bytearray()
    called = False
    while at + 2 <= end:
        a = at + 2
        at = a + (octets[at] | octets[at + 1] << 8)
        if at > end:
            break
        word = _word(octets, a, at)
        code = OK if word == _ANYBODY or word in words else NO_RIGHT
        if code == OK and octets[a] == FULL_WRITE and octets[a + 1] << 8 | octets[a + 2] == _BT07:
            code = NOT_POSSIBLE if called else OK
            called = True
        codes.append(code)
    return codes


def is_for_us(groups, octets, first: int) -> bool:
    """Whether one of the group ids octets[6:first] is one of these groups (MEP p.129)."""
    for at in range(_GROUPS, first - 1, 2):
        low = octets[at]
        high = octets[at + 1]
        for group in groups:
            if high == 0xFF or (group >> 8 == high and low in (0xFF, group & 0xFF)):
                return True
    return False


def _word(octets, a, end):
    """Under which word the command octets[a:end] falls."""
    if end - a < 3:
        return _NOBODY
    number = octets[a + 1] << 8 | octets[a + 2]
    if octets[a] in (FULL_READ, PARTIAL_READ):
        return _ANYBODY if number == _BT08 else _NOBODY
    if octets[a] in (FULL_WRITE, PARTIAL_WRITE) and number in (_ET47, _PENDING_ET47):
        return "tariff"
    if octets[a] == FULL_WRITE and number == _BT07 and end - a >= _PARAMETERS:
        procedure = (octets[a + 5] | octets[a + 6] << 8) & 0x0FFF
        return _word_of_procedure(procedure, octets[a + _PARAMETERS : end])
    return _NOBODY


def _word_of_procedure(number, parameters):
    if number == _EP02:
        return "relays" if parameters and parameters[0] else "supply"
    if number in (_EP23, _EP36):
        return "supply"
    if number == _EP22:
        return "levels"
    if number in (_EP08, _EP09):
        return "download"
    return "tariff" if number == _BP13 else _NOBODY

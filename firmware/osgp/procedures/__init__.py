"""BT07 and BT08: procedures, found by number. Source: `osgp.md` 4, `profile.md` 7.

    BT07  number 11 bits, manufacturer 1 (bit 11), selector 4: UINT16 LE | PSN 1 | parameters
    BT08  number 2 | PSN 1 | result 1 | data

A procedure happens once: number, PSN and "accepted" are kept before its effects begin, result and
data after. The PSN of the last one again, whatever else is written with it, is answered 04 and
changes nothing; its sender then reads BT08.
"""

from micropython import const

from osgp.kernels import copy, fill
from tables.model import NOT_POSSIBLE, OK

BT07 = const(7)
BT08 = const(8)

DONE = const(0)
ACCEPTED = const(1)
BAD_PARAMETER = const(2)
CONFLICT = const(3)
TIMING = const(4)
NO_AUTHORIZATION = const(5)
UNKNOWN = const(6)

_NAME = "procedure"
_HEADER = const(3)
_RESULT = const(4)
_DATA = const(12)  # BT00.10
_FIRST_PSN = const(10)  # on the power line (profile 7)
_LAST_PSN = const(254)
_NONE_YET = const(0xFF)  # a PSN that no door uses


class Procedures:
    """The initiator.

    A procedure is `function(parameters, response, now) -> (result, octets of response data)`.
    """

    def __init__(self, model, settings):
        self._settings = settings
        self._response = model.body(BT08)
        self._procedures = {}
        self.initiated = 0
        kept = bytearray(_RESULT + _DATA)
        if settings.load(_NAME, kept) != len(kept):
            fill(kept, 0, len(kept), 0)
            kept[2] = _NONE_YET
        self._response[:] = kept
        model.writer(BT07, self._initiate)

    def add(self, number: int, function):
        """`number` as in BT07: bit 11 set for extended procedures."""
        self._procedures[number] = function

    def _initiate(self, offset, buf, a, n, now) -> int:
        response = self._response
        if (
            offset
            or n < _HEADER
            or not _FIRST_PSN <= buf[a + 2] <= _LAST_PSN
            or buf[a + 2] == response[2]
        ):
            return NOT_POSSIBLE
        self.initiated += 1
        number = (buf[a] | buf[a + 1] << 8) & 0x0FFF
        draft = bytearray(_RESULT + _DATA)
        draft[0] = number & 0xFF
        draft[1] = number >> 8
        draft[2] = buf[a + 2]
        draft[3] = ACCEPTED
        self._keep(draft)
        procedure = self._procedures.get(number)
        if procedure is None:
            draft[3] = UNKNOWN
        else:
            data = bytearray(_DATA)
            draft[3], length = procedure(bytes(buf[a + _HEADER : a + n]), data, now)
            copy(draft, _RESULT, data, 0, length)
        self._keep(draft)
        return OK

    def _keep(self, draft):
        """BT08 becomes this once it is safe."""
        self._settings.replace(_NAME, draft, _RESULT + _DATA)
        self._response[:] = draft

"""Procedures: a write of BT07 initiates one, BT08 holds its result (MEP p.50-53).

    BT07   number 2 (bits 0-11, bit 11: extended; 12-15: 0) | PSN 1 | parameters
    BT08   number 2 | PSN 1 | result 1 | data 12

Which rare module has a procedure, and how long its parameters are, follows from the definitions
(`tables/compiled.py`). Each happens once: its number and result are kept, and kept before its
effects begin (profile 7). The same PSN again is answered 04 and BT08 stays; the concentrator then
reads BT08.
"""

from micropython import const

import rare
from osgp.kernels import copy, fill
from osgp.procedures.results import ACCEPTED, BAD_PARAMETER, NO_AUTHORIZATION, UNKNOWN
from tables.model import NOT_POSSIBLE, OK

BT07 = const(7)
BT08 = const(8)

_NAME = "procedure"
_HEADER = const(3)
_RESULT = const(4)
_DATA = const(12)  # BT00.10
FIRST_PSN = const(10)  # on the power line (profile 7)
LAST_PSN = const(254)
_NONE_YET = const(0xFF)  # a PSN that no door uses

# An entry of the compiled procedures (`osgp_tools.model.compile_procedures`)
_ENTRY = const(6)
_FAMILY = const(2)
_LEVEL = const(3)
_LENGTH = const(4)
_OPEN_END = const(5)


class Procedures:
    """The initiator."""

    def __init__(self, compiled: bytes, families, model, settings, device):
        """`compiled`, `families`: as in tables/compiled.py. `device`: what procedures work on."""
        self._compiled = compiled
        self._families = families
        self._settings = settings
        self._device = device
        self.response = model.body(BT08)
        self.initiated = 0
        self.on_initiated: ... = None  # f(number): it is going to run
        kept = bytearray(_RESULT + _DATA)
        if settings.load(_NAME, kept) != len(kept):
            fill(kept, 0, len(kept), 0)
            kept[2] = _NONE_YET
        self.response[:] = kept
        model.writer(BT07, self.initiate)

    def initiate(self, offset, buf, a, n, level, now) -> int:
        """The writer of BT07 (`Model.writer`)."""
        response = self.response
        if (
            offset
            or n < _HEADER
            or not FIRST_PSN <= buf[a + 2] <= LAST_PSN
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
        self.keep(draft)
        data = bytearray(_DATA)
        length = 0
        draft[3], family = self._find(number, n - _HEADER, level)
        if family:
            if self.on_initiated:
                self.on_initiated(number)
            parameters = bytes(buf[a + _HEADER : a + n])
            # Called from here, not by `rare.run`: the stack of a Pico is short.
            work = rare.load("osgp.procedures." + family)
            draft[3], length = work.run(number, parameters, data, self._device, now)
        copy(draft, _RESULT, data, 0, length)
        self.keep(draft)
        return OK

    def _find(self, number, size, level):
        """(result, the family that has the procedure): "": the result says why none will run it.

        size: octets of parameters.
        """
        compiled = self._compiled
        entry = 0
        while entry < len(compiled) and compiled[entry] | compiled[entry + 1] << 8 != number:
            entry += _ENTRY
        if entry == len(compiled):
            return UNKNOWN, ""
        if level < compiled[entry + _LEVEL]:
            return NO_AUTHORIZATION, ""
        surplus = size - compiled[entry + _LENGTH]
        if surplus < 0 or (surplus and not compiled[entry + _OPEN_END]):
            return BAD_PARAMETER, ""
        return ACCEPTED, self._families[compiled[entry + _FAMILY]]

    def keep(self, draft):
        """BT08 becomes this once it is safe."""
        self._settings.replace(_NAME, draft, _RESULT + _DATA)
        self.response[:] = draft

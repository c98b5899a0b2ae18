"""Demand: the average power of a quarter hour, its maxima, and what resets leave of them.

A demand of BT23 (MEP p.210), in W and var, in the total's block and in each tier's:

    local end of the interval with the maximum, STIME 5 | cumulative 4 | continuous 4 | maximum 4

The eight are forward, reverse, import, export and Q1 to Q4. An interval counts in the tier in
which it ends. A demand reset adds the maxima to the cumulative demands and clears them; the
continuous demand is the cumulative one and the present maximum.

They are kept by `meter/demand_state.py`.
"""

from micropython import const

import rare
from meter.clock import to_stime
from meter.registers import BLOCK, FIRST, get32, put32

DEMANDS = const(8)
SUMMATIONS = const(60)  # octets of a block before its demands
SIZE = const(17)  # of a demand
CUMULATIVE = const(5)
CONTINUOUS = const(9)
MAXIMUM = const(13)
FULL = const(1000000000)

_TIERS = const(4)
_ENERGIES = b"\x01\x02\x0c\x30\x04\x08\x10\x20"  # sets of those that are in each demand


class Demand:
    """The demands of BT23.

    resets: demand resets since ever, modulo 65536. day, minute: UTC of the last one; day is 0 when
    there was none. changed: something is to be saved.
    """

    def __init__(self, registers, calendar, settings):
        """calendar: is evaluated for the end of an interval with a new maximum."""
        self.resets = 0
        self.day = 0
        self.minute = 0
        self.changed = False
        self.registers = registers
        self.settings = settings
        self._calendar = calendar
        rare.run("meter.demand_state", self, "restore")

    def value(self, k: int, before: bool = False) -> int:
        """Demand k (0..7), W or var: of the present interval up to now, or of the one before."""
        registers = self.registers
        if k < 2:
            return registers.interval(k, before) // 250
        if k < 4:  # import is Q1 and Q2, export Q3 and Q4
            first = registers.interval(2 * k - 2, before)
            second = registers.interval(2 * k - 1, before)
            return first // 250 + second // 250 + (first % 250 + second % 250) // 250
        return registers.interval(k - 2, before) // 250

    def end(self, tier: int):
        """An interval ends at the registers' moment, and counts in `tier`."""
        for k in range(DEMANDS):
            if self.registers.used & _ENERGIES[k]:
                value = self.value(k)
                self._compare(0, k, value)
                if tier < _TIERS:
                    self._compare(tier + 1, k, value)

    def _compare(self, block, k, value):
        """Is it a new maximum of a block?"""
        body = self.registers.body
        o = FIRST + BLOCK * block + SUMMATIONS + SIZE * k
        if value > get32(body, o + MAXIMUM):
            calendar = self._calendar
            calendar.at(self.registers.day, self.registers.second)
            to_stime(calendar.local_day, calendar.local_second, body, o)
            put32(body, o + MAXIMUM, value)
            put32(body, o + CONTINUOUS, (get32(body, o + CUMULATIVE) - FULL + value) % FULL)
            self.changed = True

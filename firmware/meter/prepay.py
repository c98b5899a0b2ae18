"""Rare: prepaid energy, while it is wanted: credit in Wh, less what the registers count, by rate.

What is left follows from the registers: `rare.run("meter.credit", ..)` keeps a credit together
with the registers' state at which it holds, and after a restart the difference is deducted at
once. So consumption costs no writes, a power cut neither pays for energy twice nor gives any away,
and what the registers lose at one (up to a minute) is lost to both sides alike.

A rate is in Wh of credit for a kWh, so mWh times rate is in uWh of credit, and all is exact.
"""

from array import array

from micropython import const

from meter.registers import BLOCK, BLOCKS, FIRST, get32

OTHER_RATE = const(1000)  # of energy in tiers 4 to 7, which the registers have in the total only

_FULL = const(1000000000)  # a register counts to here and begins again
_MICRO = const(1000000)


class Prepay:
    """The credit: `total` Wh and `part` uWh above it (0..999,999), `emergency` Wh beside it.

    number: of the credit that was added last. unkept: Wh deducted since it was kept.
    weights: credit for a kWh of the total, and what a tier's costs more or less than that.
    seen: Wh and thousandths of the forward and reverse register of each block, all deducted.
    """

    def __init__(self, registers):
        """`registers`: their `body` and `fraction(block, k)`, k 0 forward, 1 reverse."""
        self.total = 0
        self.part = 0
        self.emergency = 0
        self.number = 0
        self.unkept = 0
        self.reverse = False  # energy given is deducted, too
        self.weights = [OTHER_RATE, 0, 0, 0, 0]
        self.seen = array("I", [0] * (4 * BLOCKS))
        self._registers = registers

    def count(self):
        """Deduct what the registers counted since the last time."""
        for k in range(2 * BLOCKS):
            self._look(k)

    def _look(self, k):
        wh = get32(self._registers.body, FIRST + BLOCK * (k >> 1) + 4 * (k & 1))
        fraction = self._registers.fraction(k >> 1, k & 1)
        if wh != self.seen[2 * k] or fraction != self.seen[2 * k + 1]:
            self._deduct(k, wh, fraction)

    def _deduct(self, k, wh, fraction):
        """Register k, of the forward and the reverse one of each block, has come this far."""
        seen = self.seen
        more = (wh - seen[2 * k] + _FULL // 2) % _FULL - _FULL // 2
        more = 1000 * more + fraction - seen[2 * k + 1]  # negative after a power cut
        seen[2 * k] = wh
        seen[2 * k + 1] = fraction
        if self.reverse or not k & 1:
            left = self.part - self.weights[k >> 1] * more
            self.part = left % _MICRO
            self.total += left // _MICRO
            self.unkept -= left // _MICRO


def run(registers):
    """A credit of nothing."""
    return Prepay(registers)

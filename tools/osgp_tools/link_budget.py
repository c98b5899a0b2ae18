"""How well one transceiver hears another: strength and margin in dB, what a chip reports of them,
and what gets lost.

Margin is what the signal stands above the noise; strength is its level. The steps in which a chip
reports them are Echelon's (`lon.md` 4); the loss curve and the thresholds are this model's.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

MARGIN_FLOOR, MARGIN_STEP = -6, 3  # dB of nibble 0, dB a step
STRENGTH_FLOOR, STRENGTH_STEP = -84, 6

AUDIBLE_MARGIN = 0.0  # dB: below, not even the carrier is noticed
HALF_LOST_MARGIN = (
    3.0  # dB at which every second frame is lost; each 3 dB more make it ten times fewer
)
CAPTURE = 10.0  # dB by which a frame must stand above every other one to survive them
ATTENUATION = 12.0  # dB that a frame sent with the attenuate option is weaker

PLAIN_STATUS, SECOND_CARRIER = 0x04, 0x08


@dataclass(frozen=True)
class Signal:
    """How a frame was received: the octets that phase modes 1 and 2 of the chip add to it.

    phase: angle between the mains of sender and receiver in steps of 60 degrees. status: |08 when
    it used the second carrier. levels: margin nibble << 4 | strength nibble.
    """

    phase: int = 0
    status: int = PLAIN_STATUS
    levels: int = 0xFF


signal = lru_cache(maxsize=4096)(Signal)  # there are few, and one for each reception


@dataclass(frozen=True)
class Link:
    """One direction between two transceivers."""

    strength: float = -12.0  # dB
    margin: float = 33.0  # dB

    @cached_property
    def audible(self) -> bool:
        return self.margin >= AUDIBLE_MARGIN

    @cached_property
    def loss(self) -> float:
        """Probability that a frame on this link arrives with errors."""
        return 1 / (1 + 10 ** ((self.margin - HALF_LOST_MARGIN) / 3))

    @cached_property
    def levels(self) -> int:
        return _nibble(self.margin, MARGIN_FLOOR, MARGIN_STEP) << 4 | _nibble(
            self.strength, STRENGTH_FLOOR, STRENGTH_STEP
        )

    def weaker(self, decibels: float) -> "Link":
        return Link(self.strength - decibels, self.margin - decibels)


def _nibble(value: float, floor: int, step: int) -> int:
    return min(max(int((value - floor) // step), 0), 15)


def decibels(levels: int) -> tuple[int, int]:
    """(margin, strength) out of a chip's levels octet: the low end of each step."""
    margin, strength = levels >> 4, levels & 0x0F
    return MARGIN_FLOOR + MARGIN_STEP * margin, STRENGTH_FLOOR + STRENGTH_STEP * strength

"""Devices and links of a topology, and what is known of each."""

from dataclasses import dataclass, field
from functools import lru_cache

from osgp_tools.exchange import Target
from osgp_tools.link_budget import Link as Budget

PENALTY = 4.0  # transmissions that a failed transaction adds to its link and to its device
_HALF_LIFE = 600.0  # s in which that is half forgotten
_PRIOR = 4.0  # tries that a margin counts for
_MEMORY = 0.9  # weight of older tries after each exchange
_UNKNOWN_MARGIN = 9.0  # dB: somebody answered, nobody said how well
_LEAST = 0.01  # probability: no link is without hope


@lru_cache(maxsize=4096)
def _loss(margin: float) -> float:
    """Of frames over a link of this margin. Asked for each link whenever ways are computed."""
    return Budget(0.0, margin).loss


@dataclass
class Failures:
    """Transactions that failed in a row, forgotten with time."""

    count: int = 0
    last: float = 0.0  # seconds since 1970

    def penalty(self, now: float) -> float:
        if not self.count:
            return 0.0
        return PENALTY * self.count * 0.5 ** ((now - self.last) / _HALF_LIFE)


@dataclass
class Node:
    """A device. `member`: subnet and node of it in the domain, when it is ours."""

    unique_id: bytes
    member: Target | None = None
    program: bytes = b""
    phase: int | None = None  # angle to the concentrator's in steps of 60 degrees
    seen: float = 0.0  # seconds since 1970; last heard of
    failures: Failures = field(default_factory=Failures)


@dataclass
class Link:
    """Two who hear each other. Margins and strengths in dB, by sender; tries are of both ways."""

    margins: dict[bytes, float] = field(default_factory=dict)
    strengths: dict[bytes, float] = field(default_factory=dict)
    seen: float = 0.0
    tries: float = 0.0
    lost: float = 0.0
    failures: Failures = field(default_factory=Failures)

    @property
    def margin(self) -> float:
        """The worse of both ways, as far as it is known."""
        return min(self.margins.values(), default=_UNKNOWN_MARGIN)

    @property
    def arrives(self) -> float:
        """Probability that a frame and its answer arrive."""
        share = (self.tries - self.lost + _PRIOR * self.expected) / (self.tries + _PRIOR)
        return max(share, _LEAST)

    @property
    def expected(self) -> float:
        """The same by the margins alone: what one says of a direction counts for the other, if
        nothing else is known of it."""
        known = list(self.margins.values()) or [_UNKNOWN_MARGIN]
        both = known * 2 if len(known) == 1 else known
        return (1 - _loss(both[0])) * (1 - _loss(both[1]))

    @property
    def transmissions(self) -> float:
        """Expected tries until a frame and its answer have arrived (ETX)."""
        return 1 / self.arrives

    def tried(self, tries: float, lost: float) -> None:
        self.tries = self.tries * _MEMORY + tries
        self.lost = self.lost * _MEMORY + lost

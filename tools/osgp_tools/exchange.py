"""What transactions are allowed to take, and what they took (`lon.md` 2, `profile.md` 18a)."""

from dataclasses import dataclass, field

from osgp_tools.airtime import limit_seconds
from osgp_tools.ltep import Hop

RECEIVE_TIMER = 8.192  # s: how long a device remembers a transaction (profile 18a)


class NoAnswerError(Exception):
    """Every try of a transaction passed without an answer."""


class BrokenWayError(NoAnswerError):
    """A repeater says that who follows it on the way does not answer."""


class BusyError(BrokenWayError):
    """A repeater of the way is repeating for somebody else."""


@dataclass(frozen=True)
class Target:
    """Where a request goes: a subnet and node of a domain, or the device with a unique id.

    A unique id is heard in any domain and any state. Neither node nor unique id: the whole domain.
    """

    domain: bytes
    subnet: int = 0
    node: int = 0
    unique_id: bytes = b""

    def __str__(self) -> str:
        return self.unique_id.hex() if self.unique_id else f"{self.subnet}/{self.node}"


@dataclass(frozen=True)
class Way:
    """The way to a target: repeaters of a domain, the nearest first, the last of them the agent,
    which sends the target a plain message. Without repeaters: direct.
    """

    domain: bytes = b""
    hops: tuple[Hop, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.hops)) or "direct"


DIRECT = Way()


@dataclass(frozen=True)
class Effort:
    """Retries after the first try, and seconds to wait for an answer to each."""

    retries: int
    timer: float

    def __post_init__(self):
        if (self.retries + 1) * self.timer >= RECEIVE_TIMER:
            raise ValueError("a device would have forgotten the first try at the last")


READING = Effort(4, 1.536)
WRITING = Effort(2, 2.048)  # a write is answered after it is safe


@dataclass(frozen=True)
class Exchange:
    """What one transaction took."""

    target: Target
    sent: int  # tries
    seconds: float  # from the first try to the answer, or to giving up
    request_octets: int  # LPDU with CRC
    answer_octets: int  # 0: no answer came
    way: Way = DIRECT
    broken: int | None = None  # the repeater of the way that got no answer from what follows it
    busy: bool = False  # that one was repeating for somebody else
    ended: float = 0.0  # seconds since 1970, UTC

    @property
    def retries(self) -> int:
        return self.sent - 1

    @property
    def failed(self) -> bool:
        return not self.answer_octets or self.broken is not None

    def one_way(self, longer: int = 0) -> float:
        """Estimated seconds from handing a request to the chip until the device has it.

        The measured round trip is shared out by what each direction costs on the line at least.
        `longer`: octets that the request asked about has more than this one.
        """
        there, back = limit_seconds(self.request_octets), limit_seconds(self.answer_octets)
        return self.seconds * limit_seconds(self.request_octets + longer) / (there + back)


@dataclass
class OverHops:
    """Sums over the transactions with so many repeaters between."""

    exchanges: int = 0
    failed: int = 0
    sent: int = 0
    seconds: float = 0.0  # of those that did not fail


@dataclass
class Statistics:
    """Sums over all transactions of a client."""

    exchanges: int = 0
    failed: int = 0
    frames: int = 0  # sent by us and taken as answers; what repeaters send is not counted
    retries: int = 0
    foreign: int = 0  # answers that no transaction waited for, or that were not accepted
    by_hops: dict[int, OverHops] = field(default_factory=dict)

    @property
    def again(self) -> float:
        """Tries that an exchange takes beyond its first, as a mean."""
        return self.retries / self.exchanges if self.exchanges else 0.0

    def count(self, exchange: Exchange) -> None:
        self.exchanges += 1
        self.failed += exchange.failed
        self.frames += exchange.sent + bool(exchange.answer_octets)
        self.retries += exchange.retries
        sums = self.by_hops.setdefault(len(exchange.way.hops), OverHops())
        sums.exchanges += 1
        sums.failed += exchange.failed
        sums.sent += exchange.sent
        sums.seconds += 0.0 if exchange.failed else exchange.seconds

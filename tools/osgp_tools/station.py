"""What one transceiver knows of the line: carriers, backlog, what is to be sent (`lon.md` 4)."""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from osgp_tools.airtime import BACKLOG_CAP, BETA1_AFTER_RX, BETA2, PACKET_CYCLE, W_BASE
from osgp_tools.link_budget import ATTENUATION, Link, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from osgp_tools.channel import Channel

_DELTA_BACKLOG = 0x3F  # of the L2 header
_WINDOW = W_BASE * BETA2

Hearers: TypeAlias = dict["Station", Link]


def ignore(*_: object) -> None:
    pass


@dataclass(eq=False)
class Waiting:
    """A frame that a host has handed over."""

    lpdu: bytes
    ready: int
    priority: bool
    attenuation: float


@dataclass(eq=False)
class OnAir:
    """A frame on the line, and everything that overlaps it."""

    sender: "Station"
    lpdu: bytes
    began: int
    hearers: Hearers  # who notices its carrier; the channel's, not to be changed
    rivals: list["OnAir"] = field(default_factory=list)
    deaf: set["Station"] = field(default_factory=set)  # sent something themselves meanwhile


class Station:
    """One transceiver on the line. Made by `Channel.attach`, which says what its functions are."""

    def __init__(self, channel: "Channel", index: int, phase: int, now: int) -> None:
        self.index = index
        self.phase = phase
        self.backlog = 0
        self.backlog_overflows = 0
        self.on_frame: Callable[[bytes, Signal], None] = ignore
        self.on_error: Callable[[], None] = ignore
        self.on_sent: Callable[[], None] = ignore
        self.queue: deque[Waiting] = deque()
        self.heard: set[OnAir] = set()  # carriers that this station notices
        self.sending: OnAir | None = None
        self.idle_since = now - BETA1_AFTER_RX
        self.beta1 = BETA1_AFTER_RX  # what has to pass since `idle_since` before slots begin
        self.first_slot: int | None = None  # when contending: where its window begins
        self.attempt = 0  # number of the present attempt: a start event of another one is void
        self.generation = 0  # raised by `cancel`: frames of an older one are void
        self._channel = channel
        self._idle_from = now  # idle time up to here has been counted
        self._cycle_time = 0  # spent idle since the last good packet or decrement

    @property
    def window(self) -> int:
        """Slots to draw from."""
        return W_BASE * (self.backlog + 1)

    @property
    def busy(self) -> bool:
        return bool(self.heard) or self.sending is not None

    def send(
        self, lpdu: bytes, at: int = 0, *, priority: bool = False, attenuate: bool = False
    ) -> None:
        """Hands over an LPDU with its CRC, ready to go at a moment (ns; not before now)."""
        moment = max(at, self._channel.now)
        frame = Waiting(lpdu, moment, priority, ATTENUATION if attenuate else 0.0)
        self._channel.schedule_ready(self, frame)

    def cancel(self) -> None:
        """Forgets what has not begun yet."""
        self.generation += 1
        self.queue.clear()
        self.stop_contending(self._channel.now)

    def enqueue(self, frame: Waiting) -> None:
        """Priority frames go before the others: all they gain, for 222 has no priority slots."""
        place = len(self.queue)
        if frame.priority:
            place = sum(other.priority for other in self.queue)
        self.queue.insert(place, frame)

    def stop_contending(self, now: int) -> None:
        """Idle time, or the wait for a slot, ends here; the backlog shrinks by what was waited."""
        self.attempt += 1
        if self.first_slot is not None:
            self._shrink(max(now - self.first_slot, 0) // _WINDOW)
            self.first_slot = None
        elif not self.heard and self.sending is None:
            if now > self._idle_from:
                self._cycle_time += now - self._idle_from
            if self._cycle_time >= PACKET_CYCLE:
                cycles, self._cycle_time = divmod(self._cycle_time, PACKET_CYCLE)
                self._shrink(cycles)
        self._idle_from = now

    def fell_idle(self, now: int, beta1: int) -> None:
        self.idle_since = now
        self.beta1 = beta1
        self._idle_from = now + beta1

    def good_packet(self, lpdu: bytes) -> None:
        """Sent or heard: its delta backlog says how many answers are still to come."""
        delta = lpdu[0] & _DELTA_BACKLOG
        self._cycle_time = 0
        if not delta:
            if self.backlog:
                self.backlog -= 1
        elif self.backlog + delta > BACKLOG_CAP:
            self.backlog = BACKLOG_CAP
            self.backlog_overflows += 1
        else:
            self.backlog += delta

    def _shrink(self, count: int) -> None:
        self.backlog = max(self.backlog - count, 0)

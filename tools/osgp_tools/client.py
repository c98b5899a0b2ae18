"""The concentrator's own ISO/IEC 14908-1 stack: transactions, and what is heard.

One transaction is outstanding at a time; the channel is one, so nothing is lost by it.
Clauses: `lon.md` 2 (transaction control), `profile.md` 18a (timers).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from osgp_tools.airtime import limit_seconds
from osgp_tools.lpdu import (
    APDU,
    BROADCAST,
    REQUEST,
    RESPONSE,
    SPDU,
    SUBNET_NODE,
    UNIQUE_ID,
    Frame,
    FrameError,
    decode,
)

RECEIVE_TIMER = 8.192  # s: how long a device remembers a transaction (profile 18a)
SILENCE = 2.0  # s after a start in which a node says nothing
REMEMBERED = 24.576  # s: a destination's last transaction number is not used again before
SERVICE_PIN = 0x7F
NODE_OFFLINE = 0x3F
BROADCAST_BACKLOG = 15  # answers expected to a broadcast whose size nobody knows


class NoAnswerError(Exception):
    """Every try of a transaction passed without an answer."""


class Link(Protocol):
    """What carries frames: a `Port`, or a test's own line."""

    heard: list[Callable[[bytes], None]]

    async def send(self, lpdu: bytes) -> None: ...


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

    @property
    def retries(self) -> int:
        return self.sent - 1

    def one_way(self, longer: int = 0) -> float:
        """Estimated seconds from handing a request to the chip until the device has it.

        The measured round trip is shared out by what each direction costs on the line at least.
        `longer`: octets that the request asked about has more than this one.
        """
        there, back = limit_seconds(self.request_octets), limit_seconds(self.answer_octets)
        return self.seconds * limit_seconds(self.request_octets + longer) / (there + back)


@dataclass
class Statistics:
    """Sums over all transactions of a client."""

    exchanges: int = 0
    failed: int = 0
    frames: int = 0  # sent and taken as answers
    retries: int = 0
    foreign: int = 0  # answers that no transaction waited for, or that were not accepted

    def count(self, exchange: Exchange) -> None:
        self.exchanges += 1
        self.failed += not exchange.answer_octets
        self.frames += exchange.sent + bool(exchange.answer_octets)
        self.retries += exchange.retries


def _anything(apdu: bytes) -> bool:
    return True


@dataclass
class _Waiting:
    """The outstanding transaction."""

    domain: bytes
    tid: int
    source: tuple[int, int] | None  # who must answer; None: anybody (unique id, broadcast)
    accept: Callable[[bytes], bool]  # of the APDU
    answers: asyncio.Queue = field(default_factory=asyncio.Queue)


class Client:
    """Requests out, answers in. `address` is the concentrator's subnet and node."""

    def __init__(
        self,
        link: Link,
        address: tuple[int, int] = (1, 127),
        silence: float = SILENCE,
        reading: Effort = READING,
        writing: Effort = WRITING,
    ):
        self.link = link
        self.reading = reading
        self.writing = writing
        self.address = address
        self.statistics = Statistics()
        self.last: Exchange | None = None
        self.exchanged: list[Callable[[Exchange], None]] = [self.statistics.count]
        self.service_pin: Callable[[bytes, bytes], None] | None = None  # unique id, program id
        self._lock = asyncio.Lock()
        self._waiting: _Waiting | None = None
        self._tid = -1
        self._last: dict[Target, tuple[int, float]] = {}  # number last used, when
        self._quiet_until = time.monotonic() + silence
        link.heard.append(self._hear)

    async def request(
        self,
        target: Target,
        apdu: bytes,
        effort: Effort,
        accept: Callable[[bytes], bool] = _anything,
    ) -> bytes:
        """One transaction: the APDU of the answer; `last` tells what it took.

        An answer that `accept` does not take is counted and passed over, so that a late or forged
        one does not end a transaction. Raises NoAnswerError, and LinkError of the port.
        """
        async with self._lock:
            await self._be_quiet()
            frame = self._frame(target, apdu)
            source = None if target.unique_id else (target.subnet, target.node)
            self._waiting = _Waiting(target.domain, frame.tid, source, accept)
            started = time.monotonic()
            try:
                sent, lpdu, answer = await self._try(self._waiting, frame, effort)
            finally:
                self._waiting = None
            seconds = time.monotonic() - started
            self.last = Exchange(target, sent, seconds, len(frame.encode()), len(lpdu))
            for listener in self.exchanged:
                listener(self.last)
        if answer is None:
            raise NoAnswerError(f"{target}: no answer to {sent} tries")
        return answer

    async def _try(
        self, waiting: _Waiting, frame: Frame, effort: Effort
    ) -> tuple[int, bytes, bytes | None]:
        """Tries sent, the answer's LPDU and APDU; b"" and None when none came."""
        for attempt in range(effort.retries + 1):
            left = effort.retries - attempt
            shown = frame.with_(
                delta_backlog=int(attempt < 2),
                alt_path=attempt > 0 and left < 2,  # the second carrier for the last two tries
            )
            await self.link.send(shown.encode())
            try:
                async with asyncio.timeout(effort.timer):  # wait_for may lose a Ctrl-C, in 3.11
                    lpdu, answer = await waiting.answers.get()
            except TimeoutError:
                continue
            return attempt + 1, lpdu, answer.body
        return effort.retries + 1, b"", None

    async def collect(self, domain: bytes, apdu: bytes, window: float) -> list[Frame]:
        """Broadcast a request over a domain and gather answers until none comes for `window` s."""
        async with self._lock:
            await self._be_quiet()
            target = Target(domain)
            frame = self._frame(target, apdu).with_(delta_backlog=BROADCAST_BACKLOG)
            self._waiting = _Waiting(domain, frame.tid, None, _anything)
            answers = []
            try:
                await self.link.send(frame.encode())
                while True:
                    async with asyncio.timeout(window):
                        _, answer = await self._waiting.answers.get()
                    answers.append(answer)
            except TimeoutError:
                return answers
            finally:
                self._waiting = None
                self.statistics.frames += 1 + len(answers)

    def _frame(self, target: Target, apdu: bytes) -> Frame:
        if target.unique_id:
            address = UNIQUE_ID
        elif target.node:
            address = SUBNET_NODE
        else:
            address = BROADCAST
        return Frame(
            pdu=SPDU,
            address=address,
            source=self.address,
            destination=(target.subnet, target.node),
            unique_id=target.unique_id,
            domain=target.domain,
            kind=REQUEST,
            tid=self._number(target),
            body=apdu,
        )

    def _number(self, target: Target) -> int:
        """The next transaction number: 0 only the first after a start, then 1..15, and never the
        one that this target had last."""
        now = time.monotonic()
        self._last = {key: last for key, last in self._last.items() if now - last[1] < REMEMBERED}
        last = self._last[target][0] if target in self._last else None
        self._tid = self._following(self._tid)
        if self._tid == last:
            self._tid = self._following(self._tid)
        self._last[target] = self._tid, now
        return self._tid

    @staticmethod
    def _following(tid: int) -> int:
        return 0 if tid < 0 else tid % 15 + 1

    async def _be_quiet(self) -> None:
        await asyncio.sleep(max(0.0, self._quiet_until - time.monotonic()))

    def _hear(self, lpdu: bytes) -> None:
        try:
            frame = decode(lpdu)
        except FrameError:
            return  # the link counts what the chip reports; a watcher shows it
        if frame.pdu == APDU:
            self._hear_service_pin(frame.body)
        elif frame.pdu == SPDU and frame.kind == RESPONSE and self._to_us(frame):
            waiting = self._waiting
            if waiting and self._awaited(waiting, frame) and waiting.accept(frame.body):
                waiting.answers.put_nowait((lpdu, frame))
            else:
                self.statistics.foreign += 1

    def _hear_service_pin(self, apdu: bytes) -> None:
        if self.service_pin and len(apdu) == 15 and apdu[0] == SERVICE_PIN:
            self.service_pin(apdu[1:7], apdu[7:])

    def _to_us(self, frame: Frame) -> bool:
        return frame.address == SUBNET_NODE and frame.destination == self.address

    @staticmethod
    def _awaited(waiting: _Waiting, frame: Frame) -> bool:
        if frame.tid != waiting.tid or frame.domain != waiting.domain:
            return False
        return waiting.source is None or waiting.source == frame.source

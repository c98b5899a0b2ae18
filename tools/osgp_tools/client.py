"""The concentrator's own ISO/IEC 14908-1 stack: transactions, and what is heard.

One transaction is outstanding at a time; the channel is one, so nothing is lost by it. A target
out of reach is asked by way of repeaters (`ltep`), and by another way when one fails.
Clauses: `lon.md` 2 (transaction control), `profile.md` 18a (timers) and 20 (repeating).
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from osgp_tools import clock, ltep
from osgp_tools.exchange import (
    DIRECT,
    READING,
    WRITING,
    BrokenWayError,
    BusyError,
    Effort,
    Exchange,
    NoAnswerError,
    Statistics,
    Target,
    Way,
)
from osgp_tools.lpdu import (
    APDU,
    BROADCAST,
    REQUEST,
    RESPONSE,
    SPDU,
    SUBNET_NODE,
    TPDU,
    UNACKD_RPT,
    UNIQUE_ID,
    Frame,
    FrameError,
    decode,
)
from osgp_tools.outstanding import BUSY, Outstanding, anything, taken
from osgp_tools.routes import Direct, Routes, Sending, plan, room

SILENCE = 2.0  # s before the first message in which a node says nothing after its start
REMEMBERED = 24.576  # s: a destination's last transaction number is not used again before
SERVICE_PIN = 0x7F
NODE_OFFLINE = 0x3F
BUSY_PAUSE = 2.0  # s until it is asked again, or somebody else
BROADCAST_BACKLOG = 15  # answers expected to a broadcast whose size nobody knows


class Link(Protocol):
    """What carries frames: a `Port`, or a test's own line."""

    heard: list[Callable[[bytes], None]]

    async def send(self, lpdu: bytes) -> None: ...


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
        self.routes: Routes = Direct()
        self.statistics = Statistics()
        self.last: Exchange | None = None
        self.exchanged: list[Callable[[Exchange], None]] = [self.statistics.count]
        self.service_pin: Callable[[bytes, bytes], None] | None = None  # unique id, program id
        self.listeners: dict[int, Callable[[Frame], None]] = {}  # of unacknowledged APDUs, by code
        self._lock = asyncio.Lock()
        self._waiting: Outstanding | None = None
        self._tid = -1
        self._last: dict[Target, tuple[int, float]] = {}  # number last used, when
        self._silence = silence
        link.heard.append(self._hear)

    async def request(
        self,
        target: Target,
        apdu: bytes,
        effort: Effort,
        accept: Callable[[bytes], bool] = anything,
    ) -> bytes:
        """The APDU of the answer, by the best way that brings one; `last` tells what it took.

        An answer that `accept` does not take is counted and passed over, so that a late or forged
        one does not end a transaction. Raises NoAnswerError, and LinkError of the port.
        """
        failure = NoAnswerError(f"{target}: no way leads there")
        for way in self.routes.ways(target):
            try:
                return await self.transact(target, apdu, effort, accept, way)
            except NoAnswerError as error:
                failure = error
                if isinstance(error, BusyError):
                    await asyncio.sleep(BUSY_PAUSE)
        raise failure

    async def transact(
        self,
        target: Target,
        apdu: bytes,
        effort: Effort,
        accept: Callable[[bytes], bool] = anything,
        way: Way = DIRECT,
        service: int = ltep.REQUEST,
    ) -> bytes:
        """One transaction by one way; else as `request`.

        `service`: what the agent of a way sends (`ltep`). b"": it was no REQUEST, and is done.
        """
        sending = plan(target, way, apdu, effort, service)
        async with self._lock:
            await self._be_quiet()
            frame = self._frame(sending.to, sending.apdu, self._number(sending.to))
            source = None if sending.to.unique_id else (sending.to.subnet, sending.to.node)
            waiting = Outstanding(
                sending.to.domain, frame.tid, source, taken(accept, way, service)
            )
            self._waiting = waiting
            started = clock.monotonic()
            try:
                sent, lpdu, answer = await self._try(waiting, frame, sending)
            finally:
                self._waiting = None
            failure = answer[1] if way.hops and ltep.is_failure(answer) else None
            self.last = Exchange(
                target,
                sent,
                clock.monotonic() - started,
                len(frame.encode()),
                len(lpdu),
                way,
                None if failure is None else len(way.hops) - 1 - (failure & ~BUSY),
                failure is not None and failure & BUSY > 0,
                clock.wall(),
            )
            for listener in self.exchanged:
                listener(self.last)
        if self.last.busy:
            raise BusyError(f"{target}: a repeater of {way} is busy")
        if self.last.broken is not None:
            raise BrokenWayError(f"{target}: {way.hops[self.last.broken]} hears nothing of it")
        if not lpdu:
            by = f" by way of {way}" if way.hops else ""
            raise NoAnswerError(f"{target}{by}: no answer to {sent} tries")
        return ltep.unwrap(answer) if way.hops else answer

    def room(self, target: Target) -> int:
        """Octets of an APDU that every device on the best way to the target takes."""
        return room(target, next(iter(self.routes.ways(target)), DIRECT))

    async def _try(
        self, waiting: Outstanding, frame: Frame, sending: Sending
    ) -> tuple[int, bytes, bytes]:
        """Tries sent, the answer's LPDU and APDU; both empty when none came."""
        for attempt in range(sending.retries + 1):
            left = sending.retries - attempt
            shown = frame.with_(
                delta_backlog=int(attempt < 2),
                alt_path=attempt > 0 and left < 2,  # the second carrier for the last two tries
            )
            await self.link.send(shown.encode())
            answer = await waiting.answer(sending.timer if left else sending.patience)
            if answer:
                return attempt + 1, answer[0], answer[1].body
        return sending.retries + 1, b"", b""

    async def collect(self, domain: bytes, apdu: bytes, window: float) -> list[Frame]:
        """Broadcast a request over a domain and gather answers until none comes for `window` s."""
        async with self._lock:
            await self._be_quiet()
            target = Target(domain)
            frame = self._frame(target, apdu, self._number(target))
            frame = frame.with_(delta_backlog=BROADCAST_BACKLOG)
            waiting = self._waiting = Outstanding(domain, frame.tid, None, anything)
            answers = []
            try:
                await self.link.send(frame.encode())
                while answer := await waiting.answer(window):
                    answers.append(answer[1])
            finally:
                self._waiting = None
                self.statistics.frames += 1 + len(answers)
        return answers

    async def say(self, frame: Frame) -> None:
        """An unacknowledged message; what answers it comes to `listeners`."""
        async with self._lock:
            await self._be_quiet()
            await self.link.send(frame.encode())
            self.statistics.frames += 1

    async def broadcast(
        self, domain: bytes, apdu: bytes, repeats: int = 2, timer: float = 0.256
    ) -> None:
        """A message to all of a domain, sent and sent again; nobody answers it."""
        target = Target(domain)
        async with self._lock:
            await self._be_quiet()
            frame = self._frame(target, apdu, self._number(target))
            frame = frame.with_(pdu=TPDU, kind=UNACKD_RPT)
            for attempt in range(repeats + 1):
                await asyncio.sleep(timer if attempt else 0)
                backlog = 0 if attempt else repeats
                await self.link.send(frame.with_(delta_backlog=backlog).encode())
            self.statistics.frames += 1 + repeats

    def _frame(self, target: Target, apdu: bytes, tid: int) -> Frame:
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
            tid=tid,
            body=apdu,
        )

    def _number(self, target: Target) -> int:
        """The next transaction number: 0 only the first after a start, then 1..15, and never the
        one that this target had last."""
        now = clock.monotonic()
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
        if self._silence:
            silence, self._silence = self._silence, 0.0
            await asyncio.sleep(silence)

    def _hear(self, lpdu: bytes) -> None:
        try:
            frame = decode(lpdu)
        except FrameError:
            return  # the link counts what the chip reports; a watcher shows it
        if frame.pdu == APDU:
            self._hear_unacknowledged(frame)
        elif frame.pdu == SPDU and frame.kind == RESPONSE and self._to_us(frame):
            waiting = self._waiting
            if waiting and waiting.takes(frame):
                waiting.answers.put_nowait((lpdu, frame))
            else:
                self.statistics.foreign += 1

    def _hear_unacknowledged(self, frame: Frame) -> None:
        apdu = frame.body
        if not apdu:
            return
        if self.service_pin and len(apdu) == 15 and apdu[0] == SERVICE_PIN:
            self.service_pin(apdu[1:7], apdu[7:])
        elif apdu[0] in self.listeners:
            self.listeners[apdu[0]](frame)

    def _to_us(self, frame: Frame) -> bool:
        return frame.address == SUBNET_NODE and frame.destination == self.address

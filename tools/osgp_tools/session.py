"""Secured access to one device's tables, as the concentrator does it, in either security mode.

What is sealed and how stands in `suites.py`. Here: commands, numbers, procedures, and which of two
keys holds while one is being changed. Clauses: `profile.md` 4-7, 10 and 13, `osgp.md` 1.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from osgp_tools.client import NODE_OFFLINE, Client, Effort, Exchange, NoAnswerError, Target
from osgp_tools.suites import TABLE_ACCESS, Answer, Code, SealedRequest, Suite

FULL_READ, PARTIAL_READ, FULL_WRITE, PARTIAL_WRITE = 0x30, 0x3F, 0x40, 0x4F
READ_LIMIT = 84  # octets of a table in one answer on the power line
WRITE_LIMIT = 75
WRITE_HEAD = 21  # octets of an APDU with a partial write that are none of the table's
PROCEDURE_INITIATE, PROCEDURE_RESPONSE = 7, 8
NUMBERS_USED = range(10, 235)  # procedure sequence numbers of the power line (profile 7)
BROADCAST_NUMBERS = range(235, 255)  # those of procedures that are broadcast
PATIENCE = 2  # transactions spent on one request
FOLLOWED = 4  # times that it is sent again because the device had its number
RESULT_POLLS, RESULT_PAUSE = 20, 0.5  # an accepted procedure may take its time, s between looks


class Result(IntEnum):
    """Results of a procedure (osgp.md 4)."""

    DONE = 0
    ACCEPTED = 1
    BAD_PARAMETER = 2
    CONFLICT = 3
    TIMING = 4
    NO_AUTHORIZATION = 5
    UNKNOWN_PROCEDURE = 6

    @property
    def text(self) -> str:
        return _RESULTS[self]


_RESULTS = (
    "done",
    "accepted, not complete",
    "bad parameter",
    "conflicts with the setup",
    "timing constraint",
    "no authorization",
    "unknown procedure",
)


class SessionError(Exception):
    """The device answered, and the answer is no success."""


class RefusedError(SessionError):
    """A response code that is not 00."""

    def __init__(self, code: Code, what: str):
        super().__init__(f"{what}: {code}")
        self.code = code


class SequenceLostError(SessionError):
    """The device expects a number below our next. Numbers never go back: commission it again."""


class OtherKeyError(NoAnswerError):
    """Nothing came that holds, but a refusal under a key that is not ours (mode 2).

    The device was commissioned by somebody else, or somebody wants us to think so: nothing that
    comes in clear can tell.
    """


class OfflineError(SessionError):
    """The node is soft offline and serves no table access."""


class Numbers(Protocol):
    """The numbers of one device, kept so that none is given out twice; see `store.Numbers`."""

    def take(self) -> int: ...

    def raise_to(self, number: int) -> bool:
        """Go on at `number`; False, and nothing changes, when that would be back."""
        ...

    def next_procedure(self) -> int:
        """A procedure sequence number that is not the last one used."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What a procedure came to. `initiated`: the exchange in which it was taken."""

    result: int  # a Result, or the procedure's own
    data: bytes
    initiated: Exchange | None


@dataclass(frozen=True)
class Initiated:
    """A procedure that a device has taken."""

    number: int
    head: bytes  # number and procedure sequence number, as BT08 repeats them
    exchange: Exchange | None


@dataclass(frozen=True)
class Offer:
    """A new key that the device may have taken or not, and whom to tell when it has."""

    suite: Suite
    taken: Callable[[], None]


class Session:
    """Tables of one device. `suite` has its key; `numbers` are those that the key may use."""

    def __init__(
        self,
        client: Client,
        target: Target,
        suite: Suite,
        numbers: Numbers,
        offer: Offer | None = None,
    ):
        """`offer`: a key change that was begun and not ended."""
        self.client = client
        self.target = target
        self.offer = offer
        self.in_doubt = offer is not None  # whether the device has taken the offer
        self._suite = suite
        self._numbers = numbers

    async def read(self, table: int, offset: int | None = None, count: int | None = None) -> bytes:
        """A table's octets: all of them by one full read, or `count` from `offset`.

        The latter takes as many reads as the power line's limit of 84 octets asks for.
        """
        if offset is None or count is None:
            return await self._request(_command(FULL_READ, table), f"read {table}")
        pieces = []
        for start in range(offset, offset + count, READ_LIMIT):
            size = min(READ_LIMIT, offset + count - start)
            command = _command(PARTIAL_READ, table, start) + size.to_bytes(2, "big")
            piece = await self._request(command, f"read {table} from {start}")
            if len(piece) != size:
                raise SessionError(
                    f"read {table} from {start}: {len(piece)} octets instead of {size}"
                )
            pieces.append(piece)
        return b"".join(pieces)

    async def write(self, table: int, data: bytes, offset: int | None = None) -> None:
        """Write a table's first octets, or, with `offset`, those from there.

        The latter takes as many writes as the limit of 75 octets asks for, or a lower one over
        many hops: each of them is whole, the lot of them is not.
        """
        size = len(data).to_bytes(2, "big")
        if offset is None:
            if len(data) > WRITE_LIMIT:
                raise ValueError(
                    f"{len(data)} octets are too many for one write on the power line"
                )
            command = _command(FULL_WRITE, table) + size + data
            await self._request(command, f"write {table}", self.client.writing)
            return
        limit = min(WRITE_LIMIT, self.client.room(self.target) - WRITE_HEAD)
        for a in range(0, len(data), limit):
            piece = data[a : a + limit]
            command = _command(PARTIAL_WRITE, table, offset + a)
            command += len(piece).to_bytes(2, "big") + piece
            await self._request(command, f"write {table} from {offset + a}", self.client.writing)

    async def procedure(
        self, number: int, parameters: bytes = b"", waiting: tuple[int, ...] = (Result.ACCEPTED,)
    ) -> Outcome:
        """Run a procedure once and wait for its result. BPnn is nn, EPnn 2048 + nn.

        `waiting`: results that are not the last word. One that stays is what it came to.
        """
        return await self.outcome(await self.initiate(number, parameters), waiting)

    async def initiate(self, number: int, parameters: bytes = b"") -> Initiated:
        """Write BT07: the device has taken the procedure, or it has been refused."""
        head = number.to_bytes(2, "little") + bytes((self._numbers.next_procedure(),))
        try:
            await self.write(PROCEDURE_INITIATE, head + parameters)
        except RefusedError as refused:
            # The same number again: taken at a try whose answer was lost; BT08 has the result.
            if refused.code != Code.OPERATION_NOT_POSSIBLE:
                raise
        return Initiated(number, head, self.client.last)

    async def outcome(
        self, initiated: Initiated, waiting: tuple[int, ...] = (Result.ACCEPTED,)
    ) -> Outcome:
        """What BT08 says of the procedure, as `procedure` waits for it."""
        outcome = None
        for _ in range(RESULT_POLLS):
            response = await self.read(PROCEDURE_RESPONSE)
            if response[:3] == initiated.head and len(response) > 3:
                outcome = Outcome(response[3], response[4:], initiated.exchange)
                if outcome.result not in waiting:
                    return outcome
            await asyncio.sleep(RESULT_PAUSE)
        if outcome is None:
            raise SessionError(f"procedure {initiated.number}: no result")
        return outcome

    async def _request(self, command: bytes, what: str, effort: Effort | None = None) -> bytes:
        """One service request: its data.

        A number that the device has seen already, of a message whose answer was lost, is followed
        up; on a line that loses much, more than once.
        """
        effort = effort or self.client.reading
        answer = await self._answer(command, effort)
        for _ in range(FOLLOWED):
            if answer.code != Code.SEQUENCE_NUMBER_ERROR or not answer.data:
                break
            expected = int.from_bytes(answer.data, "big")
            if not self._numbers.raise_to(expected):
                raise SequenceLostError(
                    f"{self.target} expects sequence number {expected}: commission it again"
                )
            answer = await self._answer(command, effort)
        if answer.code != Code.OK:
            raise RefusedError(answer.code, f"{self.target}: {what}")
        return answer.data

    async def _answer(self, command: bytes, effort: Effort) -> Answer:
        """Under the key that holds. In doubt: under the new one first, then the old (profile 13).

        A message that holds puts a new key in force: the device drops the old one, and so do we.
        """
        if self.offer is None or not self.in_doubt:
            return await self._exchange(self._suite, command, effort)
        try:
            answer = await self._exchange(self.offer.suite, command, effort, self._suite)
        except NoAnswerError:
            answer = Answer(Code.DIGEST_ERROR)
        if answer.code == Code.DIGEST_ERROR:
            answer = await self._exchange(self._suite, command, effort, self.offer.suite)
            self.in_doubt = answer.code == Code.DIGEST_ERROR
            return answer
        self._suite = self.offer.suite
        self.offer.taken()
        self.offer = None
        return answer

    async def _exchange(
        self, suite: Suite, command: bytes, effort: Effort, other: Suite | None = None
    ) -> Answer:
        """The answer to one command under one sequence number.

        When a transaction stays without answer the same octets are sent in another one: a number
        never carries two messages. `other`: the key under which the device may refuse this one.
        """
        target = self.target
        opener = _Opener(suite.seal(self._numbers.take(), command), other)
        for attempt in range(PATIENCE):
            try:
                await self.client.request(target, opener.sealed.apdu, effort, opener.take)
                break
            except NoAnswerError as error:
                if attempt == PATIENCE - 1 and opener.by_other_key:
                    raise OtherKeyError(f"{target} refuses under another key") from error
                if attempt == PATIENCE - 1:
                    raise
        if opener.answer is None:
            raise OfflineError(f"{target} is offline")
        return opener.answer


class _Opener:
    """Takes the first APDU that is an answer to a sealed request, and keeps what it says."""

    def __init__(self, sealed: SealedRequest, other: Suite | None):
        self.sealed = sealed
        self.answer: Answer | None = None
        self.by_other_key = False  # 0B, sealed with what is not our key
        self._other = other

    def take(self, apdu: bytes) -> bool:
        if apdu == bytes((NODE_OFFLINE,)):
            return True
        self.answer = self.sealed.open(apdu)
        if self.answer is None and self._other and self._other.refused(self.sealed.apdu, apdu):
            self.answer = Answer(Code.DIGEST_ERROR)
        if self.answer is None and apdu[:2] == bytes((TABLE_ACCESS, Code.DIGEST_ERROR)):
            self.by_other_key = True
        return self.answer is not None


def _command(service: int, table: int, offset: int | None = None) -> bytes:
    command = bytes((service,)) + table.to_bytes(2, "big")
    return command if offset is None else command + offset.to_bytes(3, "big")

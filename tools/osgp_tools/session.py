"""Secured access to one device's tables, as the concentrator does it: mode 0, digest and RC4.

    request   00 | command .. sequence(4) | digest(8)
    answer    00 | code [count(2) data]   | digest(8)

What stands between the bars is encrypted. Clauses: `profile.md` 1-7, `osgp.md` 1 and 2.
"""

import asyncio
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from osgp.kernels import digest, digest_pad, equal, rc4, rc4_key
from osgp.security.keys import base_key
from osgp_tools.client import NODE_OFFLINE, Client, Effort, Exchange, NoAnswerError, Target

TABLE_ACCESS = 0x00  # APDU code
FULL_READ, PARTIAL_READ, FULL_WRITE, PARTIAL_WRITE = 0x30, 0x3F, 0x40, 0x4F
READ_LIMIT = 84  # octets of a table in one answer on the power line
WRITE_LIMIT = 75
PROCEDURE_INITIATE, PROCEDURE_RESPONSE = 7, 8
NUMBERS_USED = range(10, 255)  # procedure sequence numbers of the power line (profile 7)
PATIENCE = 2  # transactions spent on one request
RESULT_POLLS, RESULT_PAUSE = 20, 0.5  # an accepted procedure may take its time, s between looks


class Code(IntEnum):
    """Response codes (osgp.md 1.1)."""

    OK = 0x00
    ERROR = 0x01
    SERVICE_NOT_SUPPORTED = 0x02
    INSUFFICIENT_CLEARANCE = 0x03
    OPERATION_NOT_POSSIBLE = 0x04
    INAPPROPRIATE_ACTION = 0x05
    BUSY = 0x06
    INVALID_SERVICE_SEQUENCE_STATE = 0x0A
    DIGEST_ERROR = 0x0B
    SEQUENCE_NUMBER_ERROR = 0x0C
    INCOMPATIBLE = 0x1E
    INTERFACE_CHANGE = 0x1F
    UNKNOWN = 0xFF  # not a response code: what is none of the above

    @classmethod
    def _missing_(cls, value):
        return cls.UNKNOWN

    def __str__(self) -> str:
        return f"{self.value:02X} {self.name.lower().replace('_', ' ')}"


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
class Answer:
    """An answer whose digest holds. `data`: the octets of a read, the number of a 0C."""

    code: Code
    data: bytes = b""


@dataclass(frozen=True)
class Outcome:
    """What a procedure came to. `initiated`: the exchange in which it was taken."""

    result: int  # a Result, or the procedure's own
    data: bytes
    initiated: Exchange | None


class Sealed:
    """One request under digest and cipher, and what it takes to read its answer."""

    def __init__(self, key: bytes, subnet: int, node: int, sequence: int, command: bytes):
        """`key`: the OMAK, 12 octets. `command`: the request up to its sequence number."""
        text = bytearray(command + sequence.to_bytes(4, "big"))
        head = bytes((subnet, node, TABLE_ACCESS)) + text
        self._key = key
        self._accumulator = bytearray(8)
        self._position = digest(self._accumulator, key, 0, head, 0, len(head))
        tag = bytearray(self._accumulator)
        digest_pad(tag, key, self._position)
        base = base_key(key)
        self._cipher = bytearray(258)
        rc4_key(self._cipher, bytes(a ^ b for a, b in zip(base, tag)) + base[8:])
        rc4(self._cipher, text, 0, len(text))
        self.apdu = bytes((TABLE_ACCESS,)) + text + tag

    def open(self, apdu: bytes) -> Answer | None:
        """The answer in an APDU; None when it is not this request's answer under this key."""
        if apdu == bytes((TABLE_ACCESS, Code.DIGEST_ERROR)):
            return Answer(Code.DIGEST_ERROR)
        if len(apdu) < 10 or apdu[0] != TABLE_ACCESS:
            return None
        text, tag = bytearray(apdu[1:-8]), apdu[-8:]
        if text[0] == Code.SEQUENCE_NUMBER_ERROR and len(text) == 5 and self._holds(text, tag):
            return Answer(Code.SEQUENCE_NUMBER_ERROR, bytes(text[1:]))  # always in clear
        rc4(bytearray(self._cipher), text, 0, len(text))
        return self._parse(text) if self._holds(text, tag) else None

    def _holds(self, text: bytearray, tag: bytes) -> bool:
        accumulator = bytearray(self._accumulator)
        answer = bytes((TABLE_ACCESS,)) + text
        position = digest(accumulator, self._key, self._position, answer, 0, len(answer))
        digest_pad(accumulator, self._key, position)
        return equal(accumulator, 0, tag, 0, 8)

    @staticmethod
    def _parse(text: bytearray) -> Answer | None:
        """The digest ignores zeros at the end, so the length must be exact (profile 2)."""
        if len(text) == 1:
            return Answer(Code(text[0]))
        if (
            text[0] != Code.OK
            or len(text) < 3
            or len(text) != 3 + int.from_bytes(text[1:3], "big")
        ):
            return None
        return Answer(Code.OK, bytes(text[3:]))


class Session:
    """Tables of one device. `key` is its OMAK; it is not shown."""

    def __init__(self, client: Client, target: Target, key: bytes, numbers: Numbers):
        self.client = client
        self.target = target
        self._key = key
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

        The latter takes as many writes as the limit of 75 octets asks for: each of them is whole,
        the lot of them is not.
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
        for a in range(0, len(data), WRITE_LIMIT):
            piece = data[a : a + WRITE_LIMIT]
            command = _command(PARTIAL_WRITE, table, offset + a)
            command += len(piece).to_bytes(2, "big") + piece
            await self._request(command, f"write {table} from {offset + a}", self.client.writing)

    async def procedure(
        self, number: int, parameters: bytes = b"", waiting: tuple[int, ...] = (Result.ACCEPTED,)
    ) -> Outcome:
        """Run a procedure once and wait for its result. BPnn is nn, EPnn 2048 + nn.

        `waiting`: results that are not the last word. One that stays is what it came to.
        """
        psn = self._numbers.next_procedure()
        head = number.to_bytes(2, "little") + bytes((psn,))
        try:
            await self.write(PROCEDURE_INITIATE, head + parameters)
        except RefusedError as refused:
            # The same number again: taken at a try whose answer was lost; BT08 has the result.
            if refused.code != Code.OPERATION_NOT_POSSIBLE:
                raise
        initiated = self.client.last
        outcome = None
        for _ in range(RESULT_POLLS):
            response = await self.read(PROCEDURE_RESPONSE)
            if response[:3] == head and len(response) > 3:
                outcome = Outcome(response[3], response[4:], initiated)
                if outcome.result not in waiting:
                    return outcome
            await asyncio.sleep(RESULT_PAUSE)
        if outcome is None:
            raise SessionError(f"procedure {number}: no result")
        return outcome

    async def _request(self, command: bytes, what: str, effort: Effort | None = None) -> bytes:
        """One service request: its data. Follows the device's sequence number up, once."""
        effort = effort or self.client.reading
        answer = await self._exchange(command, effort)
        if answer.code == Code.SEQUENCE_NUMBER_ERROR and answer.data:
            expected = int.from_bytes(answer.data, "big")
            if not self._numbers.raise_to(expected):
                raise SequenceLostError(
                    f"{self.target} expects sequence number {expected}: commission it again"
                )
            answer = await self._exchange(command, effort)
        if answer.code != Code.OK:
            raise RefusedError(answer.code, f"{self.target}: {what}")
        return answer.data

    async def _exchange(self, command: bytes, effort: Effort) -> Answer:
        """The answer to one command under one sequence number.

        When a transaction stays without answer the same octets are sent in another one: a number
        never carries two messages.
        """
        target = self.target
        sealed = Sealed(self._key, target.subnet, target.node, self._numbers.take(), command)
        answer = _Opener(sealed)
        for attempt in range(PATIENCE):
            try:
                await self.client.request(target, sealed.apdu, effort, answer.take)
                break
            except NoAnswerError:
                if attempt == PATIENCE - 1:
                    raise
        if answer.answer is None:
            raise OfflineError(f"{target} is offline")
        return answer.answer


class _Opener:
    """Takes the first APDU that is an answer to a sealed request, and keeps what it says."""

    def __init__(self, sealed: Sealed):
        self._sealed = sealed
        self.answer: Answer | None = None

    def take(self, apdu: bytes) -> bool:
        if apdu == bytes((NODE_OFFLINE,)):
            return True
        self.answer = self._sealed.open(apdu)
        return self.answer is not None


def _command(service: int, table: int, offset: int | None = None) -> bytes:
    command = bytes((service,)) + table.to_bytes(2, "big")
    return command if offset is None else command + offset.to_bytes(3, "big")

"""Transactions: several reads and writes in one request, carried out in one go (ET27, ET28;
`osgp.md` 1.4, MEP pp.43-50).

    size 2 | type 1 | number 2 | {length 2, message} .. | number 2

Little-endian but for the messages, which are commands and answers without sequence number and
digest. A request is carried out when the number behind its last message is there.

A file has a line for each message; # begins a comment:

    read BT01
    read ET09 0 10              # 10 octets from octet 0
    write BT06 48656C6C6F       # from the first octet on
    write ET03 30 00FF          # from octet 30 on
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from osgp_tools import naming
from osgp_tools.decode_names import RESPONSE
from osgp_tools.naming import Part
from osgp_tools.session import (
    FULL_READ,
    FULL_WRITE,
    PARTIAL_READ,
    PARTIAL_WRITE,
    Session,
    SessionError,
)

REQUEST, RESPONSE_TABLE = 2048 + 27, 2048 + 28
LARGEST = 768  # octets of ET27 (ET11.7)
REQUESTS, RESPONSES, PARTIAL, GROUPS, DENIED = range(5)  # types
TYPES = ("requests", "responses", "partial responses", "group broadcast", "denied")
_HEAD, _TAIL = 5, 2
_FIRST_NUMBER, _LAST_NUMBER = 1, 0xFFFF
_POLLS, _PAUSE = 20, 0.5  # looks at ET28, and seconds between them


class TransactionError(SessionError):
    """The device did not carry it out, or not all of it."""


@dataclass(frozen=True)
class Transaction:
    """What ET27 and ET28 hold. `groups`: of a broadcast alone."""

    type: int
    number: int
    messages: tuple[bytes, ...]
    groups: tuple[int, ...] = ()

    def encode(self) -> bytes:
        text = bytes((self.type,)) + self.number.to_bytes(2, "little")
        if self.type == GROUPS:
            text += bytes((len(self.groups),))
            text += b"".join(group.to_bytes(2, "little") for group in self.groups)
        for message in self.messages:
            text += len(message).to_bytes(2, "little") + message
        text += self.number.to_bytes(2, "little")
        return (2 + len(text)).to_bytes(2, "little") + text

    @classmethod
    def decode(cls, octets: bytes) -> "Transaction | None":
        """None: the octets are no whole transaction."""
        size = int.from_bytes(octets[:2], "little")
        if not _HEAD + _TAIL <= size <= len(octets) or octets[3:5] != octets[size - 2 : size]:
            return None
        at = _HEAD
        groups: tuple[int, ...] = ()
        if octets[2] == GROUPS:
            at += 1 + 2 * octets[_HEAD]
            groups = tuple(
                int.from_bytes(octets[k : k + 2], "little") for k in range(_HEAD + 1, at, 2)
            )
        messages = []
        while at + 2 <= size - _TAIL:
            length = int.from_bytes(octets[at : at + 2], "little")
            messages.append(octets[at + 2 : at + 2 + length])
            at += 2 + length
        if at != size - _TAIL:
            return None
        number = int.from_bytes(octets[3:5], "little")
        return cls(octets[2], number, tuple(messages), groups)


@dataclass(frozen=True)
class Line:
    """One line of a file: the text, the command, and what of a table it is about."""

    text: str
    command: bytes
    part: Part

    @property
    def reads(self) -> bool:
        return self.command[0] in (FULL_READ, PARTIAL_READ)


@dataclass(frozen=True)
class Answer:
    """What came of a line. `data`: the octets of a read."""

    line: Line
    code: int
    data: bytes

    def __str__(self) -> str:
        text = f"{self.line.text}: {self.code:02X} {RESPONSE.get(self.code, 'unknown response')}"
        return f"{text}, {len(self.data)} octets" if self.line.reads and not self.code else text


def parse(text: str) -> list[Line]:
    """The lines of a file. ValueError says which one is wrong."""
    lines = []
    for number, whole in enumerate(text.splitlines(), start=1):
        words = whole.partition("#")[0].split()
        if not words:
            continue
        try:
            lines.append(_line(words))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"line {number}: {error}") from None
    if not lines:
        raise ValueError("there is no line to send")
    return lines


def _line(words: Sequence[str]) -> Line:
    text = " ".join(words)
    verb, *rest = words
    if verb not in ("read", "write") or not rest:
        raise ValueError(f"{text} is no read and no write")
    table = naming.table(rest[0])
    head = table.to_bytes(2, "big")
    if verb == "read" and len(rest) == 1:
        return Line(text, bytes((FULL_READ,)) + head, Part(table))
    if verb == "read" and len(rest) == 3:
        offset, count = int(rest[1]), int(rest[2])
        command = bytes((PARTIAL_READ,)) + head + offset.to_bytes(3, "big")
        return Line(text, command + count.to_bytes(2, "big"), Part(table, offset, count))
    if verb == "write" and len(rest) == 2:
        data = bytes.fromhex(rest[1])
        command = bytes((FULL_WRITE,)) + head + len(data).to_bytes(2, "big") + data
        return Line(text, command, Part(table, 0, len(data)))
    if verb == "write" and len(rest) == 3:
        offset, data = int(rest[1]), bytes.fromhex(rest[2])
        command = bytes((PARTIAL_WRITE,)) + head + offset.to_bytes(3, "big")
        command += len(data).to_bytes(2, "big") + data
        return Line(text, command, Part(table, offset, len(data)))
    raise ValueError(f"{text}: read TABLE [OFFSET COUNT], or write TABLE [OFFSET] OCTETS")


def answers(lines: Sequence[Line], response: Transaction) -> Iterator[Answer]:
    """The answer to each line, as far as there is one."""
    for line, message in zip(lines, response.messages):
        if not message:
            return
        data = message[3:] if line.reads and message[0] == 0 else b""
        yield Answer(line, message[0], data)


async def run(session: Session, lines: Sequence[Line]) -> list[Answer]:
    """Send the request and read what came of it. TransactionError: not all of it was answered."""
    number = await _next_number(session)
    request = Transaction(REQUESTS, number, tuple(line.command for line in lines)).encode()
    if len(request) > LARGEST:
        raise ValueError(f"{len(request)} octets are too many: {LARGEST} is the most")
    await session.write(REQUEST, request, 0)
    response = await _response(session, number)
    found = list(answers(lines, response))
    if response.type == DENIED:
        raise TransactionError(f"transaction {number}: denied")
    if response.type != RESPONSES or len(found) != len(lines):
        raise TransactionError(
            f"transaction {number}: {TYPES[response.type]}, {len(found)} of {len(lines)} answers"
        )
    return found


async def _next_number(session: Session) -> int:
    """One more than that of the last response: the same one twice is not carried out again."""
    head = await session.read(RESPONSE_TABLE, 0, _HEAD)
    last = int.from_bytes(head[3:5], "little")
    return last + 1 if last < _LAST_NUMBER else _FIRST_NUMBER


async def _response(session: Session, number: int) -> Transaction:
    """ET28 once it has this number."""
    for _ in range(_POLLS):
        head = await session.read(RESPONSE_TABLE, 0, _HEAD)
        size = int.from_bytes(head[:2], "little")
        if int.from_bytes(head[3:5], "little") == number and size >= _HEAD + _TAIL:
            octets = head + await session.read(RESPONSE_TABLE, _HEAD, size - _HEAD)
            response = Transaction.decode(octets)
            if response is None or response.type not in (RESPONSES, PARTIAL, DENIED):
                raise TransactionError(f"transaction {number}: ET28 is no response")
            return response
        await asyncio.sleep(_PAUSE)
    raise TransactionError(f"transaction {number}: no response")

"""The event log of a device by name (BT74; the events are those of `tables.events`)."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from osgp_tools import model, procedures, values
from osgp_tools.decode_names import procedure_number, table_number
from osgp_tools.session import READ_LIMIT, Session
from tables import events as definitions
from tables.datatypes import LTIME

LOG = 74  # BT74
UPDATE_LAST_READ, LIST = 5, 7  # BP05, and what it calls the log
EVENTS = {one[0]: one for one in definitions.STANDARD + definitions.EXTENDED}
_TABLES, _PROCEDURES = (7, 8, 10, 28, 29), (9,)  # events whose argument is a number of these
_USERS = {0xFFFF: "", 0xFFFE: "power line", 0xFFFD: "MEP client", 0xFFFC: "too many to log"}
_SEQUENCES = 1 << 32  # sequence numbers begin again after so many


@dataclass(frozen=True)
class Event:
    """An entry of the log. `time`: year without century to second, UTC; zeros: not known."""

    sequence: int
    time: tuple[int, ...]
    number: int
    argument: int
    user: int

    @property
    def title(self) -> str:
        if not self.number:
            return "torn entry"
        known = EVENTS.get(self.number)
        return known[2] if known and known[2] else f"event {self.number}"

    @property
    def argument_text(self) -> str:
        """The argument, as far as it says something."""
        if self.number in _TABLES:
            return table_number(self.argument)
        if self.number in _PROCEDURES:
            return procedure_number(self.argument)
        known = EVENTS.get(self.number)
        return str(self.argument) if self.argument or (known and known[4]) else ""

    def __str__(self) -> str:
        when = values.show(LTIME, self.time) + "Z" if any(self.time) else "time not known"
        text = f"{self.sequence:6} {when:20} {self.number:3} {self.title}"
        if self.argument_text:
            text += f", {self.argument_text}"
        user = _USERS.get(self.user, f"user {self.user}")
        return f"{text} ({user})" if user else text


@dataclass(frozen=True)
class Log:
    """What a look at the log brought: its newest entries, oldest first."""

    events: tuple[Event, ...]
    valid: int
    last_sequence: int
    unread: int
    overflow: bool
    missed: int = 0  # entries that were overwritten since the look before

    def __str__(self) -> str:
        text = f"{self.valid} events, {self.unread} unread"
        return text + (", unread ones were lost" if self.overflow else "")


async def read(session: Session, before: Log | None = None) -> Log:
    """The log, or what came since it was looked at `before`."""
    head = await session.read(LOG, 0, _places()[0])
    state = model.decode(LOG, head)
    valid, last = state["valid_entries"], state["last_sequence"]
    wanted = valid
    missed = 0
    if before:
        new = (last - before.last_sequence) % _SEQUENCES
        wanted = min(valid, new)
        missed = new - wanted
    found = [one async for one in _entries(session, state["last_element"], wanted)]
    return Log(
        tuple(_numbered(found, last)),
        valid,
        last,
        state["unread_entries"],
        bool(state["flags"]["overflow"]),
        missed,
    )


def _places() -> tuple[int, int, int]:
    """Octets before the entries, of one, and how many there can be."""
    start, size = model.field(LOG, "entries")
    step = model.field(LOG, "entries.0")[1]
    return start, step, size // step


async def _entries(session: Session, newest: int, wanted: int) -> AsyncIterator[dict[str, Any]]:
    """The newest entries, oldest first, several a read."""
    start, step, capacity = _places()
    wanted = min(wanted, capacity)
    a_read = READ_LIMIT // step
    first = newest - wanted + 1
    while first <= newest:
        index = first % capacity
        count = min(a_read, newest - first + 1, capacity - index)
        octets = await session.read(LOG, start + index * step, count * step)
        decoded = model.decode(LOG, octets, start + index * step)["entries"]
        for one in decoded[index : index + count]:
            yield one
        first += count


def _numbered(entries: list[dict], last: int) -> Iterator[Event]:
    """The lower half of its sequence number stands in an entry; the rest follows from the last."""
    for one in entries:
        sequence = last - ((last - one["sequence"]) & 0xFFFF)
        yield Event(sequence, one["time"], one["event"], one["argument"], one["user"])


async def mark_read(session: Session, count: int) -> None:
    """BP05: the oldest `count` unread entries are no longer unread. ProcedureError."""
    called = await procedures.call(
        session, UPDATE_LAST_READ, bytes((LIST,)) + count.to_bytes(2, "little")
    )
    if not called.done:
        raise procedures.ProcedureError(f"{session.target}: {called}")

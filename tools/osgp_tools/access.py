"""What the commands that talk to a device have in common: the line, the store, a session with a
member, reading and writing by name."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from osgp_tools import clock, model, pcap, topology_store, values
from osgp_tools.client import Client, Target
from osgp_tools.decode_names import table_number
from osgp_tools.discovery import DISCOVERY
from osgp_tools.membership import InstallationKeys, commission
from osgp_tools.naming import Part
from osgp_tools.port import Port
from osgp_tools.rekey import session_of
from osgp_tools.secured import Keys, keys
from osgp_tools.session import READ_LIMIT, WRITE_LIMIT, Session
from osgp_tools.store import StoreError, Vault
from tables.basic.profile import layout_for
from tables.schema import NEVER, Table

OURS, THEIRS = 0, 1  # transceivers in a capture made here
_SHAPE = 61  # BT61
_LONG = 10 * READ_LIMIT  # octets that take so long that progress is shown


def unique_id(text: str) -> bytes:
    """6 octets. ValueError: not 12 hexadecimal digits."""
    octets = bytes.fromhex(text)
    if len(octets) != 6:
        raise ValueError(f"{text}: a unique id has 12 hexadecimal digits")
    return octets


def key_of(store: Path, device: str) -> Keys:
    """What opens messages to a member and its answers, and broadcasts. StoreError."""
    with open_vault(store) as vault:
        member = vault.find(device)
        unicast = [key for key in (member.key, member.next_key) if key]
        broadcast = vault.broadcast_keys(member.mode)
        return keys(member.mode, member.unique_id, unicast, broadcast)


@contextmanager
def open_vault(path: Path, new: bool = False):
    """The concentrator's store. `new`: it may be made. StoreError: it is not there."""
    if not new and not path.exists():
        raise StoreError(f"no store {path}: commission a device first, or name another --store")
    vault = Vault(path)
    try:
        yield vault
    finally:
        vault.close()


@asynccontextmanager
async def open_port(line: str, capture: Path | None) -> AsyncIterator[Port]:
    """The transceiver, with what passes it written to the capture."""
    port = await Port.open(line)
    try:
        if capture is None:
            yield port
            return
        with pcap.Writer(capture) as writer:
            port.said.append(lambda lpdu: writer.write(lpdu, clock.wall(), OURS))
            port.heard.append(lambda lpdu: writer.write(lpdu, clock.wall(), THEIRS))
            yield port
    finally:
        port.close()


async def commission_one(
    line: str, device: bytes, store: Path, keys: Path | None, mode: int, capture: Path | None
) -> None:
    async with open_port(line, capture) as port:
        with open_vault(store, new=True) as vault:
            place = vault.new_place(device, mode)
            target = Target(DISCOVERY, unique_id=device)
            client = Client(port)
            with topology_store.kept(client, store, vault):
                await commission(client, target, InstallationKeys(keys).of(device), place)
            member = vault.admit(device, place)
            print(f"{device.hex()} is {member.subnet}/{member.node}")


@asynccontextmanager
async def session_with(
    line: str, device: str, store: Path, capture: Path | None
) -> AsyncIterator[Session]:
    """A session with a member, over the transceiver at `line`."""
    with open_vault(store) as vault:
        member = vault.find(device)
        async with open_port(line, capture) as port:
            client = Client(port)
            with topology_store.kept(client, store, vault):
                yield session_of(client, vault, member)


async def definition(session: Session, number: int) -> Table | None:
    """The table as this device has it: the layout of a load profile follows from its BT61."""
    if number not in layout_for(model.default(_SHAPE)):
        return model.TABLES.get(number)
    return layout_for(await session.read(_SHAPE, 0, model.table(_SHAPE).size))[number]


async def read_part(session: Session, part: Part) -> tuple[Table | None, bytes]:
    """The definition, if there is one, and the octets.

    One full read of a table that we have no definition of; else as many reads as it takes.
    """
    table = await definition(session, part.table)
    if table is None and part.offset is None and part.count is None:
        return None, await session.read(part.table)
    count = part.count
    if count is None:
        if table is None:
            raise ValueError("how long that table is nobody knows: give --count")
        count = table.size - part.start
    return table, await read_long(session, part.table, part.start, count)


async def read_long(session: Session, table: int, offset: int, count: int) -> bytes:
    """`count` octets from `offset`; what takes its time shows on a terminal how far it is."""
    body = b""
    with progress(f"reading {table_number(table)}", count) as advance:
        while len(body) < count:
            size = min(READ_LIMIT, count - len(body))
            body += await session.read(table, offset + len(body), size)
            advance(size)
    return body


@contextmanager
def progress(what: str, octets: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error for what is long, if that is a terminal. Call it with octets."""
    console = Console(stderr=True)
    shown = console.is_terminal and octets > _LONG
    with Progress(console=console, transient=True, disable=not shown) as bars:
        task = bars.add_task(what, total=octets)
        yield lambda size: bars.advance(task, size)


def describe(table: Table | None, body: bytes, start: int = 0) -> str:
    """A line for each value that is wholly there, its path, value and unit; else the octets."""
    return "\n".join(values.shown(table.record, body, start)) if table else body.hex()


async def write_fields(session: Session, table: int, words: Sequence[str]) -> int:
    """Set fields by name=value; how many octets were written.

    Fields that lie near each other go in one write, with what is between them as it was read.
    """
    places = field_places(table, words)
    written = 0
    for span in _spans(places):
        start = span[0][0].offset
        size = max(place.offset + place.size for place, _ in span) - start
        whole = sum(place.size for place, _ in span if place.whole) == size
        body = bytearray(size if whole else await session.read(table, start, size))
        for place, text in span:
            values.put(place, text, body, start)
        await session.write(table, bytes(body), start)
        written += size
    return written


def field_places(table: int, words: Sequence[str]) -> list[tuple[values.Place, str]]:
    """Places and texts of name=value, in order of place. ValueError: not all can be set."""
    if table not in model.TABLES:
        raise ValueError(f"{table_number(table)} has no names: give its octets by --hex")
    record = model.table(table).record
    places = []
    for word in words:
        path, text = values.split(word)
        place = values.find(record, path)
        if model.table(table).write == NEVER or not place.by_host:
            raise ValueError(f"{table_number(table)}: a host cannot set {path}")
        values.put(place, text, bytearray(place.size), place.offset)  # does the value fit?
        places.append((place, text))
    return sorted(places, key=lambda one: one[0].offset)


def _spans(places: Sequence[tuple[values.Place, str]]) -> list[list[tuple[values.Place, str]]]:
    """The places in groups that one write can carry."""
    spans: list[list[tuple[values.Place, str]]] = []
    for place, text in places:
        if spans and place.offset + place.size - spans[-1][0][0].offset <= WRITE_LIMIT:
            spans[-1].append((place, text))
        else:
            spans.append([(place, text)])
    return spans


async def pending_body(session: Session, table: int, words: Sequence[str]) -> bytes:
    """A whole pending table: the table as it is, with these fields set."""
    places = field_places(table, words)
    body = bytearray(await read_long(session, table, 0, model.table(table).size))
    for place, text in places:
        values.put(place, text, body)
    return bytes(body)


async def watch(
    line: str,
    show: Callable[[bytes], None],
    device: str,
    tables: Sequence[int],
    every: float,
    store: Path,
    capture: Path | None,
) -> None:
    """Show every frame; look at the tables from time to time and print what changed."""
    async with open_port(line, capture) as port:
        port.said.append(show)
        port.heard.append(show)
        if not tables:
            await asyncio.Event().wait()
        with open_vault(store) as vault:
            client = Client(port)
            with topology_store.kept(client, store, vault):
                await _look(session_of(client, vault, vault.find(device)), tables, every)


async def _look(session: Session, tables: Sequence[int], every: float) -> None:
    last: dict[int, set[str]] = {table: set() for table in tables}
    while True:
        for table in tables:
            lines = describe(*await read_part(session, Part(table))).splitlines()
            for text in lines:
                if text not in last[table]:
                    print(text, flush=True)
            last[table] = set(lines)
        await asyncio.sleep(every)

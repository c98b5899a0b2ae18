"""The commands that talk to a device: `osgp discover`, `commission`, `read`, `write`, `watch`."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from osgp_tools import model, pcap
from osgp_tools.client import Client, Target
from osgp_tools.discovery import DISCOVERY, Discovery
from osgp_tools.membership import InstallationKeys, commission
from osgp_tools.port import Port
from osgp_tools.session import Session
from osgp_tools.store import Member, StoreError, Vault
from tables import layout
from tables.datatypes import Moment

EXTENDED = 2048
OURS, THEIRS = 0, 1  # transceivers in a capture made here


@dataclass(frozen=True)
class Part:
    """Octets of a table: from `offset` (else its first), `count` of them (else to its end)."""

    table: int
    offset: int | None = None
    count: int | None = None

    @property
    def start(self) -> int:
        return self.offset or 0


def table_number(text: str) -> int:
    """BTnn, ETnn or the number itself. ValueError: none of these."""
    kind, digits = text[:2].upper(), text[2:]
    if kind in ("BT", "ET") and digits.isdecimal():
        return int(digits) + (EXTENDED if kind == "ET" else 0)
    if text.isdecimal() and int(text) < 2 * EXTENDED:
        return int(text)
    raise ValueError(f"{text} is no table: BT23, ET03 or a number")


def unique_id(text: str) -> bytes:
    """6 octets. ValueError: not 12 hexadecimal digits."""
    octets = bytes.fromhex(text)
    if len(octets) != 6:
        raise ValueError(f"{text}: a unique id has 12 hexadecimal digits")
    return octets


def key_of(store: Path, device: str) -> bytes:
    """The OMAK of a member. StoreError."""
    with _vault(store) as vault:
        return vault.find(device).key


@contextmanager
def _vault(path: Path, new: bool = False):
    """The concentrator's store. `new`: it may be made. StoreError: it is not there."""
    if not new and not path.exists():
        raise StoreError(f"no store {path}: commission a device first, or name another --store")
    vault = Vault(path)
    try:
        yield vault
    finally:
        vault.close()


@asynccontextmanager
async def _port(line: str, capture: Path | None) -> AsyncIterator[Port]:
    """The transceiver, with what passes it written to the capture."""
    port = await Port.open(line)
    try:
        if capture is None:
            yield port
            return
        with pcap.Writer(capture) as writer:
            port.said.append(lambda lpdu: writer.write(lpdu, time.time(), OURS))
            port.heard.append(lambda lpdu: writer.write(lpdu, time.time(), THEIRS))
            yield port
    finally:
        port.close()


def _session(client: Client, vault: Vault, member: Member) -> Session:
    target = Target(member.domain, member.subnet, member.node)
    return Session(client, target, member.key, vault.numbers(member.unique_id))


async def discover(line: str, capture: Path | None) -> None:
    async with _port(line, capture) as port:
        found = await Discovery(Client(port)).find(lambda one: print(one.hex(), flush=True))
        print(f"{len(found)} devices")


async def commission_one(
    line: str, device: bytes, store: Path, keys: Path | None, capture: Path | None
) -> None:
    async with _port(line, capture) as port:
        with _vault(store, new=True) as vault:
            place = vault.new_place(device)
            target = Target(DISCOVERY, unique_id=device)
            await commission(Client(port), target, InstallationKeys(keys).of(device), place)
            member = vault.admit(device, place)
            print(f"{device.hex()} is {member.subnet}/{member.node}")


async def read(
    line: str, device: str, part: Part, raw: bool, store: Path, capture: Path | None
) -> None:
    with _vault(store) as vault:
        member = vault.find(device)
        async with _port(line, capture) as port:
            body = await _read(_session(Client(port), vault, member), part)
    print(body.hex() if raw or part.table not in model.TABLES else describe(part, body))


async def _read(session: Session, part: Part) -> bytes:
    """One full read of a table that we have no definition of; else as many reads as it takes."""
    if part.table in model.TABLES:
        count = part.count or model.table(part.table).size - part.start
        return await session.read(part.table, part.start, count)
    if part.offset is None and part.count is None:
        return await session.read(part.table)
    if part.count is None:
        raise ValueError("how long that table is nobody knows: give --count")
    return await session.read(part.table, part.start, part.count)


def describe(part: Part, body: bytes) -> str:
    """A line for each value that is wholly there: its path, value and unit."""
    lines = []
    for path, place, field in layout.leaves(model.table(part.table).record):
        at = place - part.start
        if path.rpartition(".")[2] and at >= 0 and at + field.size <= len(body):
            value = field.read(body[at : at + field.size])
            if isinstance(value, dict):
                lines += [f"{path}.{name} = {bit}" for name, bit in value.items() if name]
            else:
                lines.append(f"{path} = {_shown(field.type, value)} {field.unit}".rstrip())
    return "\n".join(lines)


def _shown(kind: object, value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(kind, Moment) and isinstance(value, tuple):
        return " ".join(f"{name} {part}" for name, part in zip(kind.parts, value))
    return str(value)


async def write(
    line: str,
    device: str,
    table: int,
    data: bytes,
    offset: int | None,
    store: Path,
    capture: Path | None,
) -> None:
    with _vault(store) as vault:
        member = vault.find(device)
        async with _port(line, capture) as port:
            await _session(Client(port), vault, member).write(table, data, offset)
    print(f"{len(data)} octets written")


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
    async with _port(line, capture) as port:
        port.said.append(show)
        port.heard.append(show)
        if not tables:
            await asyncio.Event().wait()
        with _vault(store) as vault:
            session = _session(Client(port), vault, vault.find(device))
            await _look(session, tables, every)


async def _look(session: Session, tables: Sequence[int], every: float) -> None:
    last: dict[int, set[str]] = {table: set() for table in tables}
    while True:
        for table in tables:
            part = Part(table)
            body = await _read(session, part)
            known = table in model.TABLES
            lines = (describe(part, body) if known else body.hex()).splitlines()
            for text in lines:
                if text not in last[table]:
                    print(text, flush=True)
            last[table] = set(lines)
        await asyncio.sleep(every)

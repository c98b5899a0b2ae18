"""The commands that read and write the tables of devices, and explain frames."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from osgp_tools import access, model, naming, pending
from osgp_tools.decode import Decoder, explain_file, explain_hex
from osgp_tools.naming import Part
from osgp_tools.session import Session
from osgp_tools.suites import KEY_LENGTH, LEGACY

INTERRUPTED = 130
STORE = Path("build/concentrator.db")

LineOption = Annotated[
    str,
    typer.Option(
        "--line",
        help="the transceiver: a terminal's path, pty:PATH or tcp:PORT; or ip:HERE,MEMBER,...",
    ),
]
Device = Annotated[str, typer.Argument(help="a member: its unique id, or subnet/node")]
TableName = Annotated[str, typer.Argument(metavar="TABLE", help="BT23, ET03, or its number")]
StoreOption = Annotated[Path, typer.Option("--store", help="the concentrator's members and keys")]
KeysOption = Annotated[
    Path | None,
    typer.Option("--keys", exists=True, help="installation keys (CSV); else the desk's rule"),
]
PcapOption = Annotated[
    Path | None, typer.Option("--pcap", help="write what is on the line, for tshark")
]
OffsetOption = Annotated[int | None, typer.Option(min=0, help="the first octet")]
HexOption = Annotated[str, typer.Option("--hex", help="octets in hexadecimal")]


def commission(
    unique_id: Annotated[str, typer.Argument(help="12 hexadecimal digits")],
    line: LineOption,
    store: StoreOption = STORE,
    keys: KeysOption = None,
    mode: Annotated[int, typer.Option(help="security: 0 OMA digest and RC4, 2 AES-128")] = LEGACY,
    pcap: PcapOption = None,
) -> None:
    """Make a device a member of the network, with new keys."""
    if mode not in KEY_LENGTH:
        raise ValueError(f"security mode {mode}: there are 0 and 2")
    wait_for(access.commission_one(line, access.unique_id(unique_id), store, keys, mode, pcap))


def read(
    device: Device,
    name: TableName,
    line: LineOption,
    offset: OffsetOption = None,
    count: Annotated[int | None, typer.Option(min=1, help="octets; else to the end")] = None,
    decode: Annotated[
        bool, typer.Option("--decode/--raw", help="values by name, or octets in hexadecimal")
    ] = True,
    is_pending: Annotated[
        bool, typer.Option("--pending", help="its pending table, and when that is activated")
    ] = False,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Read a table of a member, or a part of it."""
    part = Part(naming.table(name), offset, count)

    async def work(session: Session) -> None:
        if is_pending:
            table = model.table(part.table)
            size = count or table.size - part.start
            ped, body = await pending.read(session, part.table, part.start, size)
            print(f"pending: {ped}" if decode else ped.encode().hex())
        else:
            table, body = await access.read_part(session, part)
        print(access.describe(table if decode else None, body, part.start))

    talk(work, line, device, store, pcap)


def write(
    device: Device,
    name: TableName,
    line: LineOption,
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="FIELD=VALUE", help="zone_offset=60")
    ] = None,
    octets: HexOption = "",
    file: Annotated[Path | None, typer.Option(exists=True, help="octets of a file")] = None,
    offset: OffsetOption = None,
    is_pending: Annotated[
        bool, typer.Option("--pending", help="into the pending table, activated:")
    ] = False,
    moment: Annotated[
        str, typer.Option("--at", metavar="TIME", help="at a minute: 2026-03-29T01:00 (UTC)")
    ] = "",
    delay: Annotated[
        str, typer.Option("--in", metavar="TIME", help="a time after the write: 90s, 1h, 2w")
    ] = "",
    manual: Annotated[bool, typer.Option("--manual", help="by BP12 or BP13 alone")] = False,
    self_read: Annotated[bool, typer.Option("--self-read", help="a self read first")] = False,
    demand_reset: Annotated[
        bool, typer.Option("--demand-reset", help="a demand reset first")
    ] = False,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Write a table of a member: fields by name, or octets.

    A field that a host may not set is refused here; octets over it are ignored by the device.
    """
    number = naming.table(name)
    words = fields or []
    data = _octets(octets, file, bool(words))
    if data is None:
        access.field_places(number, words)  # what is wrong is said before anything is sent
        if offset is not None:
            raise ValueError("--offset goes with --hex or --file")
    if not is_pending and (moment or delay or manual or self_read or demand_reset):
        raise ValueError("--at, --in, --manual, --self-read and --demand-reset need --pending")
    ped = pending.trigger(moment, delay, manual, self_read, demand_reset) if is_pending else None

    async def work(session: Session) -> None:
        if ped:
            whole = data if data is not None else await access.pending_body(session, number, words)
            await pending.write(session, number, ped, whole, offset or 0)
            print(f"{len(whole)} octets pending, {ped}")
        elif data is None:
            print(f"{await access.write_fields(session, number, words)} octets written")
        else:
            await session.write(number, data, offset)
            print(f"{len(data)} octets written")

    talk(work, line, device, store, pcap)


def watch(
    line: LineOption,
    tables: Annotated[list[str] | None, typer.Argument(help="tables to look at")] = None,
    device: Annotated[str, typer.Option(help="the member whose tables and frames")] = "",
    every: Annotated[float, typer.Option(min=0.1, help="seconds between looks")] = 5.0,
    explain: Annotated[bool, typer.Option("--explain", help="frames in full")] = False,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Frames as they are heard; with tables, also what changes in them. Until Ctrl-C."""
    if tables and not device:
        raise ValueError("whose tables? name the --device")
    numbers = [naming.table(table) for table in tables or ()]
    key = access.key_of(store, device) if device else None
    decoder = Decoder(key)

    def show(lpdu: bytes) -> None:
        node = decoder.frame(lpdu)
        stamp = time.strftime("%H:%M:%S ")
        print(f"{stamp}{node}" if explain else stamp + node.text, flush=True)

    wait_for(access.watch(line, show, device, numbers, every, store, pcap))


def decode(
    what: Annotated[str, typer.Argument(help="a capture, or one frame in hexadecimal")],
    device: Annotated[str, typer.Option(help="the member whose key opens it")] = "",
    store: StoreOption = STORE,
) -> None:
    """Explain a captured frame, or a whole capture."""
    key = access.key_of(store, device) if device else None
    nodes = explain_file(what, key) if Path(what).exists() else [explain_hex(what, key)]
    console = Console()
    for node in nodes:
        if console.is_terminal:
            console.print(node)
        else:
            print(node)


def _octets(text: str, file: Path | None, named: bool) -> bytes | None:
    """What --hex or --file gives; None: there are fields. ValueError: not one of the three."""
    if bool(text) + bool(file) + named != 1:
        raise ValueError("what? give FIELD=VALUE, --hex or --file, one of them")
    return bytes.fromhex(text) if text else file.read_bytes() if file else None


def talk(
    work: Callable[[Session], Awaitable[None]],
    line: str,
    device: str,
    store: Path,
    pcap: Path | None,
) -> None:
    """Do the work in a session with the member."""

    async def talking() -> None:
        async with access.session_with(line, device, store, pcap) as session:
            await work(session)

    wait_for(talking())


def wait_for(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end; Ctrl-C has an exit code of its own."""
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None

"""The commands that ask a device to do something, or what happened: `osgp call`, `events`,
`profile`, `transact`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from osgp_tools import access, events, model, naming, procedures, transactions
from osgp_tools.cli_access import (
    STORE,
    Device,
    HexOption,
    LineOption,
    PcapOption,
    StoreOption,
    talk,
)
from osgp_tools.curve import draw_profile
from osgp_tools.profile_readout import DataSet
from osgp_tools.session import Session


def call(
    device: Device,
    procedure: Annotated[str, typer.Argument(help="BP10, EP11, or its number")],
    line: LineOption,
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="its parameters")
    ] = None,
    octets: HexOption = "",
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Run a procedure once and say what came of it.

    When a parameter is missing or wrong, what it takes is said; nothing is sent then.
    """
    number = naming.procedure(procedure)
    words = parameters or []
    if octets and words:
        raise ValueError("parameters by name or by --hex, not both")
    data = bytes.fromhex(octets) if octets else procedures.parameters(number, words)

    async def work(session: Session) -> None:
        called = await procedures.call(session, number, data)
        lines = list(called.lines())
        if not called.done:
            print("".join(f"{text}\n" for text in lines), end="")
            raise procedures.ProcedureError(f"{session.target}: {called}")
        print(called, *lines, sep="\n")

    talk(work, line, device, store, pcap)


def show_events(
    device: Device,
    line: LineOption,
    follow: Annotated[bool, typer.Option("--follow", help="and those to come")] = False,
    clear: Annotated[
        bool, typer.Option("--clear", help="mark what was shown as read (BP05)")
    ] = False,
    every: Annotated[float, typer.Option(min=0.1, help="seconds between looks")] = 5.0,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """The events of a member's history log (BT74), oldest first."""

    async def work(session: Session) -> None:
        log = await events.read(session)
        for event in log.events:
            print(event)
        print(log)
        while True:
            if clear and log.unread:
                await events.mark_read(session, log.unread)
            if not follow:
                return
            await asyncio.sleep(every)
            log = await events.read(session, log)
            if log.missed:
                print(f"{log.missed} were overwritten before they could be read")
            for event in log.events:
                print(event, flush=True)

    talk(work, line, device, store, pcap)


def profile(
    device: Device,
    line: LineOption,
    number: Annotated[int, typer.Option("--set", min=1, max=4, help="of the data sets")] = 1,
    blocks: Annotated[int, typer.Option(min=1, help="the newest blocks, of a day mostly")] = 1,
    plot: Annotated[
        Path | None, typer.Option(help="draw it: FILE.png or FILE.svg; else it is printed")
    ] = None,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Load profile of a member: the newest blocks of a data set (BT64 to BT67)."""
    if plot and plot.suffix not in (".png", ".svg"):
        raise ValueError(f"{plot} is no .png and no .svg")

    async def work(session: Session) -> None:
        data = await DataSet.of(session, number)
        newest = await data.newest(blocks)
        with access.progress(f"reading data set {number}", data.size(newest)) as advance:
            found = await data.profile(newest, advance)
        if plot:
            draw_profile(f"Load profile of {device}, set {number}", found, plot)
            print(f"{plot}: {found}")
        else:
            print(*found.lines(), sep="\n")

    talk(work, line, device, store, pcap)


def transact(
    device: Device,
    file: Annotated[Path, typer.Argument(exists=True, help="lines: read ET09 0 10")],
    line: LineOption,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Reads and writes as one transaction (ET27), carried out in one go.

    Lines of the file: read TABLE [OFFSET COUNT], write TABLE [OFFSET] OCTETS, # comment.
    """
    lines = transactions.parse(file.read_text())

    async def work(session: Session) -> None:
        answers = await transactions.run(session, lines)
        for answer in answers:
            print(answer)
            part = answer.line.part
            if answer.data and part.table in model.TABLES:
                shown = access.describe(model.table(part.table), answer.data, part.start)
                print("".join(f"    {text}\n" for text in shown.splitlines()), end="")
        failed = sum(answer.code != 0 for answer in answers)
        if failed:
            raise transactions.TransactionError(
                f"{session.target}: {failed} of {len(answers)} were refused"
            )

    talk(work, line, device, store, pcap)

"""The command that brings another firmware to devices over the line: `osgp update`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from osgp_tools import access, clock, groups, image_check, topology_store, update_report
from osgp_tools.cli_access import (
    STORE,
    LineOption,
    PcapOption,
    StoreOption,
    wait_for,
)
from osgp_tools.cli_image import PUBLIC
from osgp_tools.client import Client, NoAnswerError
from osgp_tools.image_check import CheckError, Signed
from osgp_tools.rekey import session_of
from osgp_tools.session import SessionError
from osgp_tools.store import Member, Vault
from osgp_tools.update import Plan, Update
from osgp_tools.update_device import Stage, UpdateError
from osgp_tools.update_packets import Image
from osgp_tools.update_status import look
from osgp_tools.update_store import Downloads

GOES_ON = "paused: the same command goes on"


def update(
    line: LineOption,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="IMAGE", help="a signed image"),
    ] = None,
    devices: Annotated[
        list[str] | None,
        typer.Argument(metavar="DEVICE", help="members; else all", show_default=False),
    ] = None,
    group: Annotated[
        str, typer.Option(help="that they are in already; else they join one for the time")
    ] = "",
    by_broadcast: Annotated[
        bool | None,
        typer.Option("--broadcast/--one-by-one", help="else: by broadcast, if there are several"),
    ] = None,
    confirm: Annotated[
        bool, typer.Option(help="the trial after its ten minutes; else it ends after 72 hours")
    ] = True,
    back: Annotated[
        bool, typer.Option("--back", help="IMAGE is what the other bank holds: return to it")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="only tell what each device runs and holds")
    ] = False,
    key: Annotated[
        Path | None,
        typer.Option(exists=True, help=f"that the signature must be good under; else {PUBLIC}"),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="write the outcome as JSON")] = None,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Bring an image to members over the line, let them run it on trial, confirm it.

    Ctrl-C pauses; the same command goes on, after a crash too: what a device has, it tells.
    """
    if status:
        named = [str(path)] if path else []
        wait_for(_tell_status(line, named + (devices or []), store, pcap))
        return
    if path is None:
        raise ValueError("which image?")
    what = Image(path.read_bytes())
    _check(what, back, key)
    to = groups.parse(group) if group else None

    async def work() -> None:
        with access.open_vault(store) as vault:
            members = _members(vault, devices or [])
            several = len(members) > 1 or to is not None
            plan = Plan(
                by_broadcast=several if by_broadcast is None else by_broadcast,
                group=to,
                confirm=confirm,
                back=back,
            )
            async with access.open_port(line, pcap) as port:
                client = Client(port)
                with topology_store.kept(client, store, vault):
                    kept = Downloads(store)
                    try:
                        await _run(Update(client, vault, kept, what, members, plan), report)
                    finally:
                        kept.close()

    wait_for(work())


def _check(what: Image, back: bool, key: Path | None) -> None:
    """CheckError: no device will take it."""
    image_check.check(what.octets)
    if back:
        return  # it is there already, and may have come by cable
    if Signed.of(what.octets) is None:
        raise CheckError("it is not signed: osgp image sign")
    public = key or (PUBLIC if PUBLIC.exists() else None)
    if public:
        image_check.verify(what.octets, public.read_bytes())


def _members(vault: Vault, names: list[str]) -> list[Member]:
    """Those that are named; all, if none is. StoreError: one is none."""
    members = [vault.find(name) for name in dict.fromkeys(names)] if names else vault.members()
    if not members:
        raise UpdateError("there is nobody to update: nobody is a member")
    return members


async def _run(update: Update, report: Path | None) -> None:
    """Raises UpdateError: somebody refused, or is on trial still; NoAnswerError."""
    console = Console()
    began = clock.monotonic()
    try:
        with update_report.Teller(console) as teller:
            update.listener = teller
            await update.run()
    except BaseException:
        console.print(GOES_ON, highlight=False)
        raise
    seconds = clock.monotonic() - began
    console.print(update_report.table(update))
    console.print(update_report.summary(update, seconds), highlight=False)
    if report:
        update_report.write(report, update, seconds)
    wanted = Stage.CONFIRMED if update.plan.confirm else Stage.TRIAL
    left = [part for part in update.parts if part.stage < wanted or part.refusal]
    if not all(part.silent for part in left):
        raise UpdateError("not everybody has taken it")
    if left:
        raise NoAnswerError("not everybody could be asked: the same command goes on")


async def _tell_status(line: str, names: list[str], store: Path, pcap: Path | None) -> None:
    silent = 0
    with access.open_vault(store) as vault:
        members = _members(vault, names)
        async with access.open_port(line, pcap) as port:
            client = Client(port)
            with topology_store.kept(client, store, vault):
                for member in members:
                    who = f"{member.unique_id.hex()} ({member.subnet}/{member.node})"
                    try:
                        told = str(await look(session_of(client, vault, member)))
                    except NoAnswerError:
                        silent += 1
                        told = "no answer"
                    except SessionError as error:
                        told = str(error)
                    print(f"{who}: {told}", flush=True)
    if silent:
        raise NoAnswerError("not everybody could be asked")

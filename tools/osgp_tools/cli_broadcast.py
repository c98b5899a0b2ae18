"""The commands for groups of devices: `osgp group`, `osgp broadcast`."""

from collections import Counter
from typing import Annotated

import typer

from osgp_tools import access, broadcast, groups, naming, procedures, topology_store
from osgp_tools.broadcast import BroadcastError, Fate, Order
from osgp_tools.cli_access import (
    STORE,
    Device,
    HexOption,
    LineOption,
    PcapOption,
    StoreOption,
    talk,
    wait_for,
)
from osgp_tools.client import Client, NoAnswerError
from osgp_tools.exchange import Way
from osgp_tools.ltep import Hop
from osgp_tools.session import Session
from osgp_tools.store import Vault

Group = Annotated[str, typer.Argument(help="four hexadecimal digits: 0102")]

group_app = typer.Typer(help="The groups of a device, for broadcasts.", no_args_is_help=True)


@group_app.command("add")
def add(
    device: Device,
    group: Group,
    line: LineOption,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Let a member join a group (EP27); it can be in ten."""
    _change(device, groups.ADD, group, line, store, pcap)


@group_app.command("remove")
def remove(
    device: Device,
    group: Group,
    line: LineOption,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Let a member leave a group (EP27)."""
    _change(device, groups.REMOVE, group, line, store, pcap)


@group_app.command("list")
def show(
    device: Device, line: LineOption, store: StoreOption = STORE, pcap: PcapOption = None
) -> None:
    """The groups of a member (ET97)."""

    async def work(session: Session) -> None:
        print(groups.shown(await groups.read(session)))

    talk(work, line, device, store, pcap)


def _change(device, action, group, line, store, pcap) -> None:
    number = groups.parse(group)

    async def work(session: Session) -> None:
        await groups.change(session, action, number)
        print(groups.shown(await groups.read(session)))

    talk(work, line, device, store, pcap)


def broadcast_command(
    to: Annotated[str, typer.Argument(metavar="GROUPS", help="0102, 01FF, or several: 0102,0305")],
    procedure: Annotated[str, typer.Argument(help="EP02, EP22, or its number")],
    line: LineOption,
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="its parameters")
    ] = None,
    octets: HexOption = "",
    agent: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="who says it again, by its repeaters: 1/5,1/9"),
    ] = None,
    repeats: Annotated[int, typer.Option(min=0, max=15, help="of each message")] = 2,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Tell all members of groups at once to run a procedure; then whoever it did not reach.

    The message has a number that is never used again; no device does it twice. FF in a group
    stands for all. What may be done so is a setting of each device's board.
    """
    number = naming.procedure(procedure)
    words = parameters or []
    if octets and words:
        raise ValueError("parameters by name or by --hex, not both")
    data = bytes.fromhex(octets) if octets else procedures.parameters(number, words)
    order = Order(groups.parse_list(to), number, data)
    paths = [_path(text) for text in agent or ()]

    async def work() -> None:
        with access.open_vault(store) as vault:
            async with access.open_port(line, pcap) as port:
                client = Client(port)
                with topology_store.kept(client, store, vault):
                    await _tell(client, vault, order, paths, repeats)

    wait_for(work())


def _path(text: str) -> tuple[Hop, ...]:
    """1/5,1/9: the repeaters of a way, the agent last. ValueError."""
    hops = []
    for word in text.split(","):
        subnet, slash, node = word.partition("/")
        if not (slash and subnet.isdecimal() and node.isdecimal()):
            raise ValueError(f"{text} is no path: SUBNET/NODE, the agent last")
        hops.append(Hop(int(subnet), int(node)))
    return tuple(hops)


async def _tell(
    client: Client, vault: Vault, order: Order, paths: list[tuple[Hop, ...]], repeats: int
) -> None:
    """Raises BroadcastError: somebody refused; NoAnswerError: somebody is not there."""
    ways = [Way(member.domain, path) for member in vault.members()[:1] for path in paths]
    sent = await broadcast.tell(client, vault, order, ways, repeats)
    print(f"number {sent.number}, {procedures.name(order.procedure)}", flush=True)
    for way in sent.silent_agents:
        print(f"{way}: the agent does not answer")
    fates: Counter[Fate] = Counter()
    async for told in broadcast.finish(client, vault, sent):
        fates[told.fate] += 1
        print(told, flush=True)
    print(", ".join(f"{count} {fate}" for fate, count in fates.items()))
    if fates[Fate.REFUSED] or fates[Fate.IN_DOUBT]:
        raise BroadcastError("not everybody has done it")
    if fates[Fate.SILENT]:
        raise NoAnswerError("not everybody could be asked")

"""The commands that find devices and show how they are connected."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from osgp_tools import topology_picture, topology_store
from osgp_tools.access import open_port, open_vault
from osgp_tools.cli_access import STORE, LineOption, PcapOption, StoreOption, wait_for
from osgp_tools.client import Client
from osgp_tools.discovery import Discovery
from osgp_tools.search import FAST, Search
from osgp_tools.topology import Topology


def discover(
    line: LineOption,
    near: Annotated[
        bool, typer.Option("--near", help="only those in our own reach, by query id")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="frames take no time, as on a line at speed 0")
    ] = False,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Find all devices, through each other: unique id, hops, margin, and address of a member."""
    pace = FAST if fast or line.startswith("ip:") else 1.0
    wait_for(_find_near(line, pcap) if near else _find(line, pace, store, pcap))


def topology(
    store: StoreOption = STORE,
    svg: Annotated[Path | None, typer.Option(help="draw it into this file")] = None,
    html: Annotated[Path | None, typer.Option(help="a page of its own, with all figures")] = None,
) -> None:
    """The network as the concentrator knows it: the best ways, and how good their links are."""
    with open_vault(store) as vault:
        known = topology_store.load(store, vault)
    Console().print(*topology_picture.terminal(known))
    if svg:
        svg.write_text(topology_picture.svg(known))
        print(f"made {svg}")
    if html:
        html.write_text(topology_picture.html(known))
        print(f"made {html}")


async def _find_near(line: str, capture: Path | None) -> None:
    async with open_port(line, capture) as port:
        found = await Discovery(Client(port)).find(lambda one: print(one.hex(), flush=True))
        print(f"{len(found)} devices")


async def _find(line: str, pace: float, store: Path, capture: Path | None) -> None:
    async with open_port(line, capture) as port:
        client = Client(port)
        with (
            open_vault(store, new=True) as vault,
            topology_store.kept(client, store, vault) as known,
        ):
            search = Search(client, known, port.unique_id, pace)
            found = await search.everybody(lambda one: print(_told(known, one), flush=True))
        print(f"{len(found)} devices")


def _told(known: Topology, unique_id: bytes) -> str:
    path = known.path(unique_id, anybody=True)
    link = known.link(*path[-2:]) if path else None
    words = [unique_id.hex(), f"{len(path) - 1} hop{'s' * (len(path) > 2)}"]
    if link and link.margins:
        words.append(f"{link.margin:.0f} dB")
    member = known.node(unique_id).member
    return "  ".join(words + ([f"{member}"] if member else []))

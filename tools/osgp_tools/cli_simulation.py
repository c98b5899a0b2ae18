"""The command that lives through a simulated network."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown


def simulate(
    topology: Annotated[
        str, typer.Argument(help="star:DEVICES, line:HOPS, line:HOPSxDEVICES or streets:HOUSES")
    ] = "streets:30",
    loss: Annotated[float, typer.Option(min=0, max=0.9, help="share of frames lost")] = 0.0,
    seed: Annotated[int, typer.Option(help="the same one gives the same frames")] = 1,
    pcap: Annotated[Path | None, typer.Option(help="every frame, for Wireshark")] = None,
) -> None:
    """A whole network in virtual time: found, commissioned, read and switched, at what cost."""
    # Imported here: they bring the firmware along.
    from osgp_tools.simulation import bench, report, topologies

    topologies.parse(topology, seed)
    run = bench.one(topology, loss, seed, pcap)
    Console().print(Markdown(report.network([run])))
    print(report.line(run))
    print(f"SHA-256 of all frames, senders and times: {run['digest']}")

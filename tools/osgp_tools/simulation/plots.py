"""Pictures of runs: what each piece of work takes, how near the limit it comes, the streets."""

from itertools import groupby
from pathlib import Path
from typing import Any

from osgp_tools.simulation import topologies
from osgp_tools.simulation.topologies import Topology

STYLE: Any = {
    "svg.hashsalt": "osgp",  # the same figures give the same file
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
COLOURS = ("#2a6f97", "#e07a5f", "#3d405b", "#81b29a", "#9c6644", "#6d597a", "#bc4749")


def draw(runs: list[dict], folder: Path) -> None:
    """work.svg, share.svg and streets.svg."""
    import matplotlib as mpl

    mpl.use("Agg")  # no screen needed
    import matplotlib.pyplot as plt

    with plt.rc_context(STYLE):
        _pieces(plt, runs, folder / "work.svg", "time on the line, s a device", _each)
        _pieces(plt, runs, folder / "share.svg", "share of the channel's limit", _share)
        largest = max((run for run in runs if "streets" in run["topology"]), key=_devices)
        _map(plt, topologies.parse(largest["topology"], largest["seed"]), folder / "streets.svg")


def _each(piece: dict) -> float:
    return piece["seconds"] / max(piece["wanted"], 1)


def _share(piece: dict) -> float:
    return piece["share"]


def _devices(run: dict) -> int:
    return run["devices"]


def _pieces(plt: Any, runs: list[dict], path: Path, label: str, value: Any) -> None:
    """A panel for each network, a curve for each piece, over the loss."""
    networks = [list(group) for _, group in groupby(runs, key=lambda run: run["topology"])]
    figure, axes = plt.subplots(
        1, len(networks), figsize=(2.6 * len(networks) + 1.6, 3.6), sharey=True, squeeze=False
    )
    for axis, group in zip(axes[0], networks, strict=True):
        losses = [100 * run["loss"] for run in group]
        for k, piece in enumerate(group[0]["pieces"]):
            values = [value(run["pieces"][k]) for run in group]
            colour = COLOURS[k % len(COLOURS)]
            axis.plot(losses, values, marker="o", markersize=3, color=colour, label=piece["name"])
        axis.set_title(f"{group[0]['topology']}, up to {group[0]['hops']} hops", loc="left")
        axis.set_xticks(losses)
        axis.set_xlabel("loss / %")
        axis.grid(axis="y", color="#dddddd", linewidth=0.6)
    if value is _each:
        axes[0, 0].set_yscale("log")
    else:
        axes[0, 0].set_ylim(0, 1)
    axes[0, 0].set_ylabel(label)
    axes[0, -1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    _save(plt, figure, path)


def _map(plt: Any, topology: Topology, path: Path) -> None:
    """Where the houses stand, coloured by how many hops away they are."""
    figure, axis = plt.subplots(figsize=(6.5, 6))
    x, y = zip(*topology.position, strict=True)
    dots = axis.scatter(x[1:], y[1:], c=topology.hops[1:], s=9, cmap="viridis")
    axis.scatter(x[:1], y[:1], marker="s", s=50, color="#bc4749", label="concentrator")
    axis.set_aspect("equal")
    axis.set_xlabel("m")
    axis.set_ylabel("m")
    axis.set_title(topology.name, loc="left")
    axis.legend(frameon=False)
    figure.colorbar(dots, ax=axis, label="hops", shrink=0.7)
    _save(plt, figure, path)


def _save(plt: Any, figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)

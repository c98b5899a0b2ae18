"""`make bench-update`: an image to whole streets, at several rates of loss, on simulated lines.
The figures, a page with their table, and a plot go to `docs/update/`.

    python -m osgp_tools.simulation.update_bench [FOLDER]

Each run is a process, as many at a time as there are processors; the longest begin first.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

from osgp_tools.simulation.bench import RunError
from osgp_tools.simulation.plots import COLOURS, STYLE
from osgp_tools.simulation.report import duration

DEVICES = (1, 3, 10, 30)
LOSSES = (0.0, 0.1, 0.2, 0.3)
SMALL, WHOLE = 60_000, 190_000  # octets of an image
RUNS = [
    (30, 0.2, WHOLE),
    (3, 0.0, WHOLE),
    *((devices, loss, SMALL) for devices in reversed(DEVICES) for loss in reversed(LOSSES)),
]

HEAD = """# An image to a whole street, simulated

Printed by `make bench-update` out of `figures.json`; nothing in here is written by hand.

The firmware's own code runs in every device, and what stands behind `osgp update` at the
concentrator's place, on the channel of `osgp_tools/channel.py`. A packet has 56 octets of the
image; on the line it is an LPDU of {packet_octets} octets and takes {each:.0f} ms at least.

- **loss** is the share of frames that each device loses, of packets and of all else.
- **sent**: packets by broadcast, as a multiple of those that the image has, and what that is as a
  mean when each is sent until the last device has it, and not once more (**ideal**).
- **packets**: the time in which they were sent, with the questions between the rounds and what
  was sent one by one at the end; **of the channel** how much of it the packets by broadcast take
  at the channel's limit (`docs/profile.md` 35). **Before**: asking, joining a group, erasing.

| image | devices | loss | sent | ideal | rounds | one by one | packets | of the channel | before |
|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
"""


def one(devices: int, loss: float, octets: int) -> dict:
    """The figures of one run (`update_run`). Raises RunError."""
    given = [str(devices), "--loss", str(loss), "--octets", str(octets)]
    command = [sys.executable, "-m", "osgp_tools.update_run", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(f"{' '.join(given)}:\n{done.stderr}")
    return json.loads(done.stdout)


def share(run: dict) -> float:
    """Of the channel that the packets took, while they were sent."""
    return run["limit_s"] / run["sending_s"]


def page(runs: list[dict]) -> str:
    first = runs[0]
    each = 1000 * first["limit_s"] / first["broadcast"]
    rows = "".join(map(_row, runs))
    return HEAD.format(**first, each=each) + rows + "\n![time over loss](time.svg)\n"


def _row(run: dict) -> str:
    cells = (
        f"{run['octets'] // 1000} kB",
        run["devices"],
        f"{run['loss']:.0%}",
        f"{run['broadcast'] / run['packets']:.2f}",
        f"{run['ideal']:.2f}",
        run["rounds"],
        run["unicast"],
        duration(run["sending_s"]),
        f"{share(run):.0%}",
        duration(run["preparing_s"]),
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def draw(runs: list[dict], path: Path) -> None:
    """Minutes of sending over the loss, a curve for each number of devices."""
    import matplotlib as mpl

    mpl.use("Agg")  # no screen needed
    import matplotlib.pyplot as plt

    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(5.5, 3.6))
        _curves(axis, runs)
        figure.tight_layout()
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def _curves(axis: Any, runs: list[dict]) -> None:
    small = [run for run in runs if run["octets"] == SMALL]
    for k, (devices, group) in enumerate(groupby(small, key=lambda run: run["devices"])):
        points = [(100 * run["loss"], run["sending_s"] / 60) for run in group]
        name = f"{devices} device{'s' * (devices > 1)}"
        axis.plot(*zip(*points, strict=True), marker="o", color=COLOURS[k], label=name)
    axis.set_ylim(0)
    axis.set_xlabel("loss / %")
    axis.set_ylabel(f"time of the packets of {SMALL // 1000} kB / min")
    axis.grid(axis="y", color="#dddddd", linewidth=0.6)
    axis.legend(frameon=False)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/update")
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def told(wanted: tuple[int, float, int]) -> dict:
        run = one(*wanted)
        text = f"{run['devices']} devices at {run['loss']:.0%}: {share(run):.0%} of the channel"
        print(f"{time.monotonic() - began:5.0f} s  {text}", flush=True)
        return run

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = list(pool.map(told, RUNS))
    runs.sort(key=lambda run: (run["octets"], run["devices"], run["loss"]))
    (folder / "figures.json").write_text(json.dumps(runs, indent=1) + "\n")
    (folder / "README.md").write_text(page(runs))
    draw(runs, folder / "time.svg")


if __name__ == "__main__":
    main()

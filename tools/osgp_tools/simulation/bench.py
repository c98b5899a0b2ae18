"""`make bench-network`: whole networks at several rates of loss, and what each piece of a
concentrator's work costs there. The figures, a page with their tables, and the plots go to
`docs/network/`.

    python -m osgp_tools.simulation.bench [FOLDER]

Each run is a process, as many at a time as there are processors; the longest begin first.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from osgp_tools.simulation import plots, report

SEED = 1
LOSSES = (0.0, 0.05, 0.2, 0.4)  # of frames, for each receiver, on top of what its link loses
RUNS = {  # topology: losses; the longest first
    "streets:500": LOSSES[:2],
    "line:16x2": LOSSES,
    "streets:60": LOSSES,
    "star:60": LOSSES,
}


A_DAY = "star:500"  # the network whose silent day is computed


class RunError(OSError):
    """A run ended with an error."""


def one(topology: str, loss: float, seed: int = SEED, pcap: Path | None = None) -> dict:
    """The figures of one run, in a process of its own. Raises RunError."""
    given = [topology, "--loss", str(loss), "--seed", str(seed)]
    return _process(given + (["--pcap", str(pcap)] if pcap else []))


def _process(given: list[str]) -> dict:
    command = [sys.executable, "-m", "osgp_tools.simulation_run", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(f"{' '.join(given)}:\n{done.stderr}")
    return json.loads(done.stdout)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/network")
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def told(pair: tuple[str, float]) -> dict:
        run = one(*pair)
        print(f"{time.monotonic() - began:5.0f} s  {report.line(run)}", flush=True)
        return run

    pairs = [(topology, loss) for topology, losses in RUNS.items() for loss in losses]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = list(pool.map(told, pairs))
        day = _process([A_DAY, "--day"])
    write(runs, day, folder)
    print(f"{time.monotonic() - began:.0f} s in all; see {folder}/README.md")


def write(runs: list[dict], day: dict, folder: Path) -> None:
    """The figures, their page and their pictures."""
    figures = {"runs": runs, "day": day}
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    (folder / "README.md").write_text(report.page(runs, day))
    plots.draw(runs, folder)


if __name__ == "__main__":
    main()

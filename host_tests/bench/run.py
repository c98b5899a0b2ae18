"""Speed and memory of the device, beside the committed figures: python host_tests/bench/run.py
[--commit]

Memory is measured on the 32-bit unix port of MicroPython with the bank mounted in place and -X
heapsize=128k. A board's VM has the names of all modules in flash (osgp_tools/vm_names.py), some 25
kB that are in the heap here; the budget of 80 kB is for a board (bench/board.py). Times are ratios
to a loop on the same interpreter, so that another machine gives about the same figure. The table
is also written to build/bench.txt. Exit 1 when a budget is broken, or a figure has grown by more
than its slack.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
if __name__ == "__main__":
    for folder in ("host_tests", "firmware", "tools/shims", "tools"):
        sys.path.insert(0, str(REPOSITORY / folder))

from desk import MP32, Desk
from osgp_tools.image import build_bank
from osgp_tools.simulation import update_bench

FIGURES = HERE / "figures.json"
HEAP = "128k"
READS = 50
CHANNEL_BUDGET = 10.0  # per cent
ROUNDS = 5  # of which the best counts: the machine is shared
READ = "3F 0017 000000 0054"  # 84 octets of BT23
CALIBRATION = "def _c():\n x = 0\n for i in range(40000): x = (x + i) & 0xFFFF"


@dataclass
class Figure:
    name: str
    value: float
    unit: str
    budget: float | None  # of shared/design.md, where it has one for the desk
    slack: float  # by which it may grow before this fails: 0.02 is 2 %


def number(desk: Desk, expression: str) -> int:
    return int(desk.console(expression))


def allocation(desk: Desk) -> float:
    """Octets that stay behind from one secured read: mem_alloc, with collection off, over many
    reads."""
    desk.console("import gc; gc.collect(); gc.disable()")
    desk.console("device.scheduler.collect_at = device.board.ticks_ms() + 3600000")
    number(desk, "gc.mem_alloc()")
    start = number(desk, "gc.mem_alloc()")
    asking = number(desk, "gc.mem_alloc()") - start  # what the console itself leaves behind
    before = number(desk, "gc.mem_alloc()")
    for _ in range(READS):
        desk.command(READ)
    after = number(desk, "gc.mem_alloc()")
    desk.console("gc.enable(); device.scheduler.collect_at = device.board.ticks_ms()")
    return (after - before - asking) / READS


def calibration(desk: Desk) -> float:
    """Seconds of the loop on the device's interpreter, the best of five."""
    desk.console(f"exec({CALIBRATION!r}, globals())")
    clock = "(lambda a: (_c(), device.board.ticks_us() - a)[1])(device.board.ticks_us())"
    return min(number(desk, clock) for _ in range(5)) / 1e6


def turn_round(desk: Desk) -> float:
    """Seconds from a request to its answer, MIP acknowledgements and both processes included: the
    median."""
    times = []
    for _ in range(READS):
        start = time.perf_counter()
        desk.command(READ)
        times.append(time.perf_counter() - start)
    return sorted(times)[READS // 2]


def longest_slice(desk: Desk) -> int:
    """Microseconds of the longest slice of any part over a round of reads."""
    desk.console("[setattr(slot, 'longest', 0) for slot in device.scheduler.slots[:3]]")
    turn_round(desk)
    return number(desk, "max([slot.longest for slot in device.scheduler.slots[:3]])")  # not us


def channel_left() -> float:
    """Per cent of the channel's limit (profile 35) that reading load profiles leaves unused, in a
    main job in real time; the best of three, for the machine is shared."""
    left = 100.0
    for _ in range(3):
        command = [sys.executable, "-m", "osgp_tools.cli", "run", "--folder", "build/bench"]
        run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        share = re.search(r"main job: ok.* at (\d+)% of the channel", run.stdout)
        if not share:
            raise RuntimeError("the main job failed: " + run.stdout[-2000:] + run.stderr[-2000:])
        left = min(left, 100.0 - int(share[1]))
        if left <= CHANNEL_BUDGET:
            break
    return left


def update_figures() -> list[Figure]:
    """Of a whole image by broadcast, in virtual time, the same on every machine."""
    lossless = update_bench.one(3, 0.0, update_bench.WHOLE)
    lossy = update_bench.one(10, 0.2, 20_000)
    seconds = lossless["preparing_s"] + lossless["sending_s"]
    left = 100 * (1 - lossless["limit_s"] / seconds)
    sent = lossy["broadcast"] / lossy["packets"] / lossy["ideal"]
    return [
        Figure("channel left unused by an update", left, "%", CHANNEL_BUDGET, 0.2),
        Figure("packets of an update, 20% lost", sent, "of ideal", None, 0.1),
    ]


def measure() -> list[Figure]:
    figures = [Figure("bank image", len(build_bank(1)), "octets", 192 * 1024, 0.02)]
    with (
        tempfile.TemporaryDirectory() as folder,
        Desk(Path(folder), str(MP32), HEAP, path=str(REPOSITORY / "boards")) as desk,
    ):
        desk.console("import gc")
        desk.commission()
        desk.command(READ)
        desk.console("gc.collect()")
        figures.append(
            Figure("heap in use", number(desk, "gc.mem_alloc()"), "octets", 112 * 1024, 0.03)
        )
        figures.append(Figure("allocated by a secured read", allocation(desk), "octets", 0, 0))
        loop = calibration(desk)
        figures.append(
            Figure("turn-round of a secured read", turn_round(desk) / loop, "loops", None, 1.0)
        )
        longest = min(longest_slice(desk) for _ in range(ROUNDS)) / 1e6
        # a maximum, on a shared machine: the board bench has the sharp figure
        figures.append(Figure("longest slice", longest / loop, "loops", None, 9.0))
    figures.append(
        Figure("channel left unused by a profile", channel_left(), "%", CHANNEL_BUDGET, 1.0)
    )
    return figures + update_figures()


def judge(figure: Figure, committed: dict) -> str:
    known = committed.get(figure.name)
    if figure.budget is not None and figure.value > figure.budget:
        return "over budget"
    if known is not None and figure.value > known * (1 + figure.slack) + 1e-9:
        return "has grown"
    return "ok"


def main() -> int:
    if not MP32.exists():
        print(f"SKIP no 32-bit MicroPython at {MP32}: `make tools`")
        return 0
    committed = json.loads(FIGURES.read_text())
    figures = measure()
    if "--commit" in sys.argv:
        FIGURES.write_text(
            json.dumps({figure.name: round(figure.value, 2) for figure in figures}, indent=2)
            + "\n"
        )
        committed = json.loads(FIGURES.read_text())
    lines = [f"{'figure':34}{'measured':>12}{'committed':>12}{'budget':>11}  unit"]
    verdicts = [judge(figure, committed) for figure in figures]
    for figure, verdict in zip(figures, verdicts):
        budget = "" if figure.budget is None else f"{figure.budget:.0f}"
        known = committed.get(figure.name, "")
        lines.append(
            f"{figure.name:34}{figure.value:12.2f}{known:>12}{budget:>11}"
            f"  {figure.unit:8}{verdict}"
        )
    table = "\n".join(lines)
    print(table)
    (REPOSITORY / "build").mkdir(exist_ok=True)
    (REPOSITORY / "build" / "bench.txt").write_text(table + "\n")
    return int(any(verdict != "ok" for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())

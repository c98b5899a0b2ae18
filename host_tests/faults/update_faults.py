"""What can go wrong while a device is updated: all of it, or a slice, over all processors.

usage: python host_tests/faults/update_faults.py    (`make test-faults` does that, too)

`RUNS` names the lives, which run under MicroPython, and what of them there is. What they do and
look at is said in each. Each prints how many places it has, and how many cases it made of them.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import update_images

HERE = Path(__file__).resolve().parent
UNIT = HERE.parent / "unit"
_HEAP = "100m"

LIFE, PAIRS, BITS = "update_life.py", "update_pairs.py", "update_bits.py"
HOSTILE, PROTOCOL, REAL = "update_hostile.py", "update_protocol.py", "update_real.py"
FAILING = "update_failing.py"
# Places of one share: a minute or two
SHARES = {LIFE: 60, PAIRS: 2, BITS: 6000}
RUNS = {
    LIFE: [
        *("download", "switch", "trial", "confirm", "next_download", "next_switch", "used_up"),
        *("again_switch", "too_long", "once_more", "back", "cable"),
    ],
    BITS: ["bare", "trial", "confirmed", "cable", "download"],
    PAIRS: ["switch", "confirm", "used_up", "too_long", "back"],
}
ALONE: dict[str, list[list[int]]] = {
    HOSTILE: [[]],
    PROTOCOL: [[1], [2]],
    FAILING: [[]],
    REAL: [[1]],
}


def run(micropython: str, folder: Path, life: object, *arguments: object) -> tuple[int, int]:
    """Returns the places that there are, and the cases. AssertionError: a device was lost."""
    process = subprocess.run(
        [micropython, "-X", f"heapsize={_HEAP}", str(HERE / str(life)), str(folder)]
        + [str(argument) for argument in arguments],
        env={**os.environ, "MICROPYPATH": f"{folder / 'firmware'}:{HERE}:{UNIT}:.frozen"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout[-3000:]
    places, _, cases, _ = process.stdout.splitlines()[-1].split()
    return int(places), int(cases)


def sweep(micropython: str, folder: Path, life: str, part: str) -> list[tuple[object, ...]]:
    """The arguments of the runs that together are the whole of a part."""
    places, _ = run(micropython, folder, life, part, 0, 0)
    share = SHARES[life]
    return [(life, part, first, first + share) for first in range(0, places, share)]


def everything(micropython: str, folder: Path, workers: int) -> None:
    """All runs, each part's count printed as it is complete."""
    with ThreadPoolExecutor(workers) as pool:
        parts: dict[tuple[str, str], list[tuple[object, ...]]] = {}
        for life, runs in ALONE.items():
            parts[life, "all"] = [(life, *arguments) for arguments in runs]
        for life, names in RUNS.items():
            for name in names:
                parts[life, name] = sweep(micropython, folder, life, name)
        futures = {
            part: [pool.submit(run, micropython, folder, *arguments) for arguments in runs]
            for part, runs in parts.items()
        }
        total = 0
        for (life, name), pending in futures.items():
            results = [future.result() for future in pending]
            cases = sum(cases for _, cases in results)
            total += cases
            print(f"{life} {name}: {results[0][0]} places, {cases} cases, all good", flush=True)
        print(f"updates: {total} cases, and after each the device runs a good bank")


def main() -> None:
    micropython = os.environ.get("MICROPYTHON") or str(
        Path(sys.executable).with_name("micropython")
    )
    with tempfile.TemporaryDirectory() as folder:
        update_images.make(Path(folder))
        everything(micropython, Path(folder), os.cpu_count() or 1)


if __name__ == "__main__":
    main()

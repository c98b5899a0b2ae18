"""Power cuts at every flash operation of a long life, and none may cost what was acknowledged.

usage: python host_tests/faults/powercut.py [STEPS]    (`make test-faults`)

The life and what is checked: powercut_life.py. One process a processor shares the work.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parents[1] / "firmware"
STEPS = 6700  # some 7,600 flash operations
_HEAP = "64m"  # the recorded operations


def sweep(micropython: str, steps: int, first: int, last: int) -> subprocess.Popen[str]:
    """Begin the cuts at operations first to last of a life."""
    return subprocess.Popen(
        [micropython, "-X", f"heapsize={_HEAP}", str(HERE / "powercut_life.py")]
        + [str(number) for number in (steps, first, last)],
        env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:.frozen"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Wait for a sweep. Returns the operations of the life, and the cuts. AssertionError: loss."""
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    operations, _, cuts, _ = printed.split()
    return int(operations), int(cuts)


def main() -> None:
    micropython = os.environ.get("MICROPYTHON") or str(
        Path(sys.executable).with_name("micropython")
    )
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else STEPS
    operations, _ = finish(sweep(micropython, steps, 0, 0))
    share = -(-operations // (os.cpu_count() or 1))
    processes = [
        sweep(micropython, steps, first, first + share) for first in range(0, operations, share)
    ]
    cuts = sum(finish(process)[1] for process in processes)
    print(f"powercut: {operations} flash operations, {cuts} power cuts, nothing lost")


if __name__ == "__main__":
    main()

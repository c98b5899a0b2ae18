"""Power cuts at every flash operation of four lives, and none may cost what was acknowledged.

usage: python host_tests/faults/powercut.py [STEPS [STEPS]]    (`make test-faults`)

The lives and what is checked: powercut_life.py (a store, worked hard), device_life.py (a whole
device), broadcast_life.py (one that is told things by broadcast) and key_life.py (one whose keys
change). One process a processor shares the work.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parents[1] / "firmware"
UNIT = HERE.parent / "unit"
STORE, DEVICE, TOLD = "powercut_life.py", "device_life.py", "broadcast_life.py"
KEYED = "key_life.py"
# Some 7,600 flash operations of STORE and DEVICE each, 350 of TOLD, 150 of KEYED
STEPS = {STORE: 6700, DEVICE: 360, TOLD: 30, KEYED: 82}
_HEAP = "200m"  # the recorded operations


def sweep(micropython: str, life: str, steps: int, first: int, last: int) -> subprocess.Popen[str]:
    """Begin the cuts at operations first to last of a life."""
    return subprocess.Popen(
        [micropython, "-X", f"heapsize={_HEAP}", str(HERE / life)]
        + [str(number) for number in (steps, first, last)],
        env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:{UNIT}:.frozen"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Wait for a sweep. Returns the operations of the life, and the cuts. AssertionError: loss."""
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    operations, _, cuts, _ = printed.splitlines()[-1].split()
    return int(operations), int(cuts)


def main() -> None:
    micropython = os.environ.get("MICROPYTHON") or str(
        Path(sys.executable).with_name("micropython")
    )
    wanted = [int(word) for word in sys.argv[1:]]
    for life, usual in STEPS.items():
        steps = wanted.pop(0) if wanted else usual
        operations, _ = finish(sweep(micropython, life, steps, 0, 0))
        share = -(-operations // (os.cpu_count() or 1))
        processes = [
            sweep(micropython, life, steps, first, first + share)
            for first in range(0, operations, share)
        ]
        cuts = sum(finish(process)[1] for process in processes)
        print(f"{life}: {operations} flash operations, {cuts} power cuts, nothing lost")


if __name__ == "__main__":
    main()

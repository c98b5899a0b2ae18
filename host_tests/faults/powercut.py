"""Power cuts at every flash operation of some lives, and none may cost what was acknowledged.

usage: python host_tests/faults/powercut.py [STEPS [STEPS]]    (`make test-faults`)

The lives and what is checked: powercut_life.py (a store, worked hard), device_life.py (a whole
device), broadcast_life.py (one that is told things by broadcast), key_life.py (one whose keys
change) and migration_life.py (one that is updated to other tables and back). One process a
processor shares the work. What can go wrong in an update of the firmware itself, power cuts and
more, is in update_faults.py, and follows where no STEPS are given.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import update_faults

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import next_firmware  # noqa: E402

FIRMWARE = HERE.parents[1] / "firmware"
UNIT = HERE.parent / "unit"
STORE, DEVICE, TOLD = "powercut_life.py", "device_life.py", "broadcast_life.py"
KEYED, MIGRATED = "key_life.py", "migration_life.py"
# Some 7,600 flash operations of STORE and DEVICE each, 350 of TOLD, 150 of KEYED, 330 of MIGRATED
STEPS = {STORE: 6700, DEVICE: 360, TOLD: 30, KEYED: 82, MIGRATED: 2}
_HEAP = "200m"  # the recorded operations


def sweep(
    micropython: str, life: str, steps: int, first: int, last: int, following: Path | None = None
) -> subprocess.Popen[str]:
    """Begin the cuts at operations first to last of a life. following: a folder that
    `next_firmware` made, for MIGRATED."""
    return subprocess.Popen(
        [micropython, "-X", f"heapsize={_HEAP}", str(HERE / life)]
        + [str(number) for number in (steps, first, last)],
        env={
            **os.environ,
            "MICROPYPATH": f"{FIRMWARE}:{UNIT}:.frozen",
            "NEXT": str(following),
        },
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
    with tempfile.TemporaryDirectory() as folder:
        following = next_firmware.make(Path(folder) / "next")
        for life, usual in STEPS.items():
            steps = wanted.pop(0) if wanted else usual
            operations, _ = finish(sweep(micropython, life, steps, 0, 0, following))
            share = -(-operations // (os.cpu_count() or 1))
            processes = [
                sweep(micropython, life, steps, first, first + share, following)
                for first in range(0, operations, share)
            ]
            cuts = sum(finish(process)[1] for process in processes)
            print(f"{life}: {operations} flash operations, {cuts} power cuts, nothing lost")
    if len(sys.argv) == 1:
        update_faults.main()


if __name__ == "__main__":
    main()

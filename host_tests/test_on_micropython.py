"""Every unit test file again, under MicroPython: the interpreter that the firmware is for.

Three runs a file: the 64-bit unix port, the 32-bit one (a microcontroller's heap and small ints),
and the 32-bit one with the viper kernels of `boards/kernels.py`. The 64-bit port never gets those:
its viper has another word size.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
RUNNER = HERE / "mpy_runner.py"
TIMEOUT = 120  # s, for one file
# For rigs with the flash that they keep in RAM. The collector is conservative, so what a dropped
# rig held may stay: the 32-bit port's own 1 MB was not always enough for the longest files.
HEAP = "heapsize=4m"

RUNS = {
    "64-bit": ("MICROPYTHON", ("firmware", "host_tests/unit")),
    "32-bit": ("MP32", ("firmware", "host_tests/unit")),
    "32-bit-viper": ("MP32", ("firmware", "host_tests/unit", "boards")),
}


def interpreter(variable: str) -> str | None:
    """The MicroPython that an environment variable names, or the one that set-up leaves."""
    if named := os.environ.get(variable):
        return named
    if variable == "MP32":
        built = REPOSITORY / "build" / "mp32" / "mp32"
        return str(built) if built.exists() else None
    beside = Path(sys.executable).with_name("micropython")
    return str(beside) if beside.exists() else shutil.which("micropython")


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(
    "file", sorted((HERE / "unit").glob("test_*.py")), ids=lambda file: file.stem
)
def test_unit(file: Path, run: str):
    variable, folders = RUNS[run]
    program = interpreter(variable)
    if program is None:
        pytest.skip(f"no {run} MicroPython: set {variable} (`make setup` provides both)")
    path = ":".join(str(REPOSITORY / folder) for folder in folders)
    result = subprocess.run(
        [program, "-X", HEAP, str(RUNNER), str(file)],
        env={**os.environ, "MICROPYPATH": f"{path}:.frozen"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert result.returncode == 0, f"{run} MicroPython, {file.name}:\n{result.stdout}"
    lines = result.stdout.splitlines()
    if len(lines) == 1 and lines[0].startswith("SKIP "):
        pytest.skip(lines[0][len("SKIP ") :])

"""Mode 2 and a key change with processes: a device under MicroPython, and a command that is killed
where it hurts."""

import sqlite3
from contextlib import closing

import pytest
from processes import Running, osgp, wait_for

from osgp_tools.store import Vault

NAME = "04000000aa01"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A line with a device on it, member in mode 2: what `osgp` needs to reach it."""
    folder = tmp_path_factory.mktemp("desk")
    ends = (f"pty:{folder}/device,id={NAME}", f"pty:{folder}/end")
    arguments = [word for end in ends for word in ("--transceiver", end)]
    with Running("line", *arguments, "--speed", 0) as line:
        line.until("\n")
        with Running("device", "--plc", f"pty:{folder}/device", "--flash", folder / "flash"):
            here = ("--line", f"pty:{folder}/end", "--store", folder / "store.db")
            made = osgp("commission", NAME, *here, "--mode", 2)
            assert (made.returncode, made.stdout) == (0, f"{NAME} is 1/1\n"), made.stderr
            yield folder, here


def test_a_key_change_that_is_killed_goes_on(desk):
    folder, here = desk

    def offered():
        with closing(sqlite3.connect(folder / "store.db")) as base:
            return base.execute("SELECT next_key FROM device").fetchone()[0]

    with Running("rekey", NAME, *here) as rekey:
        wait_for(offered, "a new key on disk")
        rekey.process.kill()
    new = offered()
    assert new
    read = osgp("read", NAME, "BT01", *here)
    assert read.returncode == 0 and "manufacturer" in read.stdout, read.stderr
    changed = osgp("rekey", NAME, *here)
    assert (changed.returncode, changed.stdout) == (0, f"{NAME} has a new key\n"), changed.stderr
    with closing(Vault(folder / "store.db")) as vault:
        assert vault.find(NAME).key == new and offered() is None

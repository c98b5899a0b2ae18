"""`osgp group` and `osgp broadcast` with devices of both security modes, each a process."""

import json

import pytest
from processes import Running, osgp

IDS = ("04000000bb01", "04000000bb02")
INTERRUPTED = 130


@pytest.fixture
def desk(tmp_path):
    """The line, and how to start its devices. The end for `osgp` is the last."""
    ends = [f"pty:{tmp_path}/{k},id={unique_id}" for k, unique_id in enumerate(IDS)] + ["tcp:0"]
    arguments = [word for end in ends for word in ("--transceiver", end)]
    with Running("line", *arguments, "--speed", 0) as line:
        line.until("\n")
        names = json.loads(line.output)["transceivers"]

        def device(k):
            return Running("device", "--plc", names[k], "--flash", tmp_path / f"{k}.flash")

        def run(*words):
            done = osgp(*words, "--line", names[-1], "--store", tmp_path / "store.db")
            return done.returncode, done.stdout.splitlines(), done.stderr

        yield device, run
        line.interrupt()
        assert line.end() == 0, line.tail


def commission(run, unique_id, mode):
    """A device that has only just started may need more time than one command gives it."""
    answers = (run("commission", unique_id, "--mode", mode) for _ in range(4))
    assert 0 in (code for code, _, _ in answers)


def relay_is_open(run, member):
    """EP02 holds relay 1 open (ET30)."""
    code, out, err = run("read", member, "ET30", "--raw", "--offset", 28, "--count", 1)
    assert code == 0, err
    return bool(int(out[0], 16) & 1)


def tell(run, group, action):
    return run("broadcast", group, "EP02", "output=1", f"action={action}")


def test_a_group_of_processes(desk):
    device, run = desk
    with device(0) as first:
        with device(1) as second:
            for k, mode in enumerate((0, 2)):
                commission(run, IDS[k], mode)
                assert run("group", "add", f"1/{k + 1}", f"010{k + 2}")[1] == [f"010{k + 2}"]
            code, out, err = tell(run, "0102", 0)
            assert (code, err) == (0, "")
            assert out == [
                "number 0, EP02 Disconnect and control relay command",
                f"{IDS[0]} (1/1): done by broadcast",
                f"{IDS[1]} (1/2): in none of the groups",
                "1 done by broadcast, 1 in none of the groups",
            ]
            assert relay_is_open(run, "1/1")
            second.interrupt()
            assert second.end() == INTERRUPTED
        with device(1) as second:  # again, on what it has kept
            code, out, _ = tell(run, "01FF", 1)
            assert (code, out[0].split(",")[0], out[-1]) == (0, "number 1", "2 done by broadcast")
            code, out, _ = run("read", "1/2", "ET04", "--raw", "--offset", 82, "--count", 4)
            assert (code, out) == (0, ["02000000"])
            second.interrupt()
            assert second.end() == INTERRUPTED
        first.interrupt()
        assert first.end() == INTERRUPTED

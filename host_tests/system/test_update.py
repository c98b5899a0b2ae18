"""`osgp update` with two devices, each a process: a firmware that was built from this tree and
signed replaces the one before, over a line that loses a quarter of the frames."""

import json
import re
import sys
from dataclasses import replace

import pytest
from processes import Running, osgp

from osgp_tools import flash
from osgp_tools.image import Header, packets

IDS = ("04000000dd01", "04000000dd02")
LOSS = 0.25
SPEED = 40  # a packet takes 10 ms: a device that has no time for it loses more than the line does
KILLED, INTERRUPTED = -9, 130
MINUTES = 18 * 60.0  # s that the packets may take, where many tests run at once
SERVE = """
import asyncio, sys
from pathlib import Path
from osgp_tools.device_serving import serve
plc, flash, key = sys.argv[1:]
asyncio.run(serve(plc, Path(flash), console=True, update_key=Path(key)))
"""


class Served(Running):
    """A device with its console."""

    command = (sys.executable, "-c", SERVE)

    def type(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line.encode() + b"\n")


@pytest.fixture
def images(tmp_path, monkeypatch):
    """Signed images of this tree, by version, and the public key."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    key = tmp_path / "key.prv"
    assert osgp("image", "keygen", key, "--height", 5).returncode == 0
    made = {version: tmp_path / f"{version}.img" for version in (1, 2)}
    assert osgp("image", "build", made[2], "--version", 2).returncode == 0
    built = made[2].read_bytes()
    before = replace(Header.decode(built), version=1).encode()  # the same modules
    made[1].write_bytes(before + built[len(before) :])
    for image in made.values():
        assert osgp("image", "sign", image, "--key", key).returncode == 0
    return made, key.with_suffix(".pub")


@pytest.mark.timeout(1800)  # there are 3,300 packets
def test_an_update_over_the_line(tmp_path, images):
    made, key = images
    ends = [f"pty:{tmp_path}/{k},id={unique_id}" for k, unique_id in enumerate(IDS)] + ["tcp:0"]
    arguments = [word for end in ends for word in ("--transceiver", end)]
    with Running("line", *arguments, "--speed", SPEED, "--loss", LOSS) as line:
        line.until("\n")
        names = json.loads(line.output)["transceivers"]
        for k in range(2):
            flash.create(tmp_path / f"{k}.flash", {0: made[1].read_bytes()})
        with (
            Served(names[0], tmp_path / "0.flash", key) as first,
            Served(names[1], tmp_path / "1.flash", key) as second,
        ):
            where = "--line", names[-1], "--store", tmp_path / "store.db"
            for unique_id in IDS:
                answers = (osgp("commission", unique_id, "--mode", 2, *where) for _ in range(9))
                assert 0 in (done.returncode for done in answers)
            update = "update", made[2], *where, "--key", key

            # paused, then killed in the middle; what devices have is not sent again
            with Running(*update) as paused:
                tenth = packets(made[2].read_bytes()) // 10
                paused.until(f"round 1: {2 * tenth} of ", MINUTES)
                paused.interrupt()
                assert paused.end() == INTERRUPTED
                assert "paused: the same command goes on" in paused.output
            with Running(*update, "--no-confirm") as killed:
                killed.until("round 1: ")
                killed.process.kill()
                assert killed.end() == KILLED
            report = tmp_path / "report.json"
            with Running(*update, "--no-confirm", "--report", report) as going_on:
                going_on.until("switching banks", MINUTES)
                assert going_on.end() == 0, going_on.tail
            told = json.loads(report.read_text())
            assert parts_there(going_on.output) > 400
            assert [one["stage"] for one in told["devices"]] == ["trial", "trial"]
            assert banks(where) == ["bank B, version 2 on trial"] * 2

            # ten minutes are long: each device believes that they are over
            for one in (first, second):
                one.type("device.trial._good_since -= 600000")
            done = osgp(*update)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "2 of 2 run it" in done.stdout
            assert banks(where) == ["bank B, version 2"] * 2

            # and back to what the other bank holds
            done = osgp("update", made[1], *where, "--key", key, "--back", "--no-confirm")
            assert done.returncode == 0, done.stdout + done.stderr
            assert banks(where) == ["bank A, version 1 on trial"] * 2


def parts_there(output):
    """What the first device had when it was asked for the first time, after two runs."""
    return int(re.search(r"\(1/1\): has ([1-9]\d*) of", output)[1])


def banks(where):
    done = osgp("update", "--status", *where)
    return [line.split(": ")[1] for line in done.stdout.splitlines()]

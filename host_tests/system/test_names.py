"""The commands that know the meter by name, against a device process: read, write, pending, call,
events, profile, transact. One device that measures a household; two days of its past are filled
in when its clock is set."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from processes import Running, osgp, wait_for

from osgp_tools.source import Source

UNIQUE_ID = "04000000bb01"
REFUSED, INTERRUPTED = 1, 130
FILLING_IN = 60.0  # s


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A line with the device, made a member whose clock is set."""
    folder = tmp_path_factory.mktemp("names")
    first = datetime.now(UTC).date() - timedelta(days=2)
    source = folder / "house.source"
    source.write_bytes(Source.household(first, 4, 3500).encode())
    ends = ("--transceiver", f"pty:{folder}/device,id={UNIQUE_ID}", "--transceiver", "tcp:0")
    with Running("line", *ends, "--speed", 0) as line:
        line.until("\n")
        names = json.loads(line.output)["transceivers"]
        flash = ("--flash", folder / "1.flash", "--source", source)
        with Running("device", "--plc", names[0], *flash) as device:
            here = ("--line", names[1], "--store", folder / "store.db")
            made = osgp("commission", UNIQUE_ID, *here)
            assert made.returncode == 0, made.stderr
            set_clock(here)
            yield SimpleNamespace(folder=folder, here=here, device=device)
            device.interrupt()
            assert device.end() == INTERRUPTED, device.tail
        assert "Traceback" not in device.output, device.tail
        line.interrupt()
        assert line.end() == 0, line.tail


def set_clock(here):
    """By name, to now. Its weekday must fit."""
    now = datetime.now(UTC)
    words = (
        "mask=7",
        f"clock={now:%FT%T}",
        f"qualifier={now.isoweekday() % 7}",
    )
    called = osgp("call", "1/1", "BP10", *words, *here)
    assert called.returncode == 0, called.stderr
    assert called.stdout.splitlines()[0] == "BP10 Set date and time: 0 done"
    assert f"after = {now:%FT%T}" in called.stdout


def test_read_and_write_by_name(desk):
    written = osgp("write", "1/1", "BT53", "dst_amount=30", *desk.here)
    assert (written.returncode, written.stdout) == (0, "1 octets written\n"), written.stderr
    read = osgp("read", UNIQUE_ID, "BT53", "--decode", *desk.here)
    assert read.returncode == 0, read.stderr
    assert "dst_amount = 30 min" in read.stdout.splitlines()


def test_a_pending_table_becomes_the_table_and_events_tell(desk):
    """Who follows the events sees when."""
    pending = ("--pending", "--in", "10s")
    written = osgp("write", "1/1", "BT53", "dst_amount=45", *pending, *desk.here)
    assert written.stdout == "6 octets pending, 10s after the write\n", written.stderr
    with Running("events", "1/1", "--follow", "--every", 0.5, *desk.here) as following:
        following.until("Pending table activated, BT53")
        following.interrupt()
        assert following.end() == INTERRUPTED, following.tail
    assert f"{datetime.now(UTC):%Y-%m-}" in following.output
    assert "Clock set: its new time" in following.output, following.tail
    assert "dst_amount = 45 min" in osgp("read", "1/1", "BT53", *desk.here).stdout


def test_events_that_were_read(desk):
    assert osgp("events", "1/1", "--clear", *desk.here).returncode == 0
    last = osgp("events", "1/1", *desk.here).stdout.splitlines()[-1]
    assert int(last.split()[-2]) <= 1, last  # BP05 may be one


def test_a_procedure_that_is_not_done(desk):
    called = osgp("call", "1/1", "BP15", "ped=020102030405", *desk.here)
    assert (called.returncode, called.stdout) == (REFUSED, "")
    assert called.stderr.startswith("osgp: 1/1: BP15 ") and called.stderr.count("\n") == 1


def test_a_transaction(desk):
    file = desk.folder / "transaction"
    file.write_text("write BT06 10 48656C6C6F  # Hello\nread BT06 9 7\nread BT01\n")
    done = osgp("transact", "1/1", file, *desk.here)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["write BT06 10 48656C6C6F: 00 ok", "read BT06 9 7: 00 ok, 7 octets"]
    assert "    manufacturer = OED" in [line.rstrip() for line in lines]
    again = osgp("read", "1/1", "BT06", "--raw", "--offset", 10, "--count", 5, *desk.here)
    assert again.stdout == "48656c6c6f\n"


def test_a_load_profile_is_drawn(desk):
    """Once the past is filled in: the newest two days."""
    shown = []

    def is_filled_in():
        shown[:] = osgp("profile", "1/1", "--blocks", 2, *desk.here).stdout.splitlines()
        return len(shown) > 96

    wait_for(is_filled_in, "a past", FILLING_IN)
    assert shown[0].startswith("end (UTC)\tforward active / Wh\t")
    picture = desk.folder / "curve.svg"
    drawn = osgp("profile", "1/1", "--blocks", 2, "--plot", picture, *desk.here)
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout.startswith(f"{picture}: ")
    assert "<svg" in picture.read_text()

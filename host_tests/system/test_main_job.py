"""The main job as a user runs it, and what it leaves: readings, pictures, a capture."""

import re
import sqlite3
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from processes import osgp

from osgp_tools import pcap, tshark
from osgp_tools.store import Vault

TOTAL = -1
DEVICES = 3
INTERVALS = 96


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """One whole run: its folder, its capture, what it printed."""
    folder = tmp_path_factory.mktemp("job")
    capture = folder / "run.pcap"
    ended = osgp("run", "--speed", 0, "--folder", folder, "--pcap", capture)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return SimpleNamespace(folder=folder, capture=capture, lines=ended.stdout.splitlines())


def rows(job, query: str) -> list[tuple]:
    readings = sqlite3.connect(job.folder / "readings.db")
    try:
        return readings.execute(query).fetchall()
    finally:
        readings.close()


def figures(line: str) -> dict[str, float]:
    """The numbers of the last line by the words after them."""
    parts = line.removeprefix("main job: ok, ").split(", ")
    found = {}
    for part in parts:
        number, _, name = part.partition(" ")
        found[name] = float(number)
    return found


def test_the_last_line_has_its_figures(job):
    last = job.lines[-1]
    assert last.startswith("main job: ok, ")
    seen = figures(last)
    assert seen["devices"] == DEVICES
    compared = next(n for name, n in seen.items() if name.startswith("values compared"))
    exactly = int(re.search(r"(\d+) exactly", last.replace(", ", " "))[1])
    # Two channels of a day are 192 consumptions a device, and nothing in the past moves.
    assert DEVICES * 2 * INTERVALS <= exactly <= compared
    assert seen["retries"] == 0
    assert seen["exchanges"] == rows(job, "SELECT count(*) FROM exchange")[0][0]
    assert seen["frames on the line"] == sum(1 for _ in pcap.read(job.capture))
    assert 1 < seen["s"] < 60


def test_each_device_is_told_of_step_by_step(job):
    for number in range(1, DEVICES + 1):
        told = [line for line in job.lines if line.startswith(f"04000000100{number}: ")]
        steps = ("member as", "clock set", "past filled in", "registers read", "load profile")
        assert [step for step in steps if any(step in line for line in told)] == list(steps)


def test_readings_of_each_device(job):
    devices = rows(job, "SELECT unique_id, subnet, node, manufacturer, utility FROM device")
    assert len(devices) == DEVICES
    assert len({place[1:3] for place in devices}) == DEVICES
    assert all(manufacturer and utility for *_, manufacturer, utility in devices)


def test_registers_by_tier_add_up(job):
    kept = rows(job, "SELECT unique_id, quantity, tier, value, unit FROM register")
    by_name = {(uid, quantity, tier): value for uid, quantity, tier, value, _ in kept}
    uids = {uid for uid, *_ in kept}
    assert len(uids) == DEVICES
    for uid in uids:
        total = by_name[uid, "forward_wh", TOTAL]
        tiers = [by_name[uid, "forward_wh", tier] for tier in (0, 1)]
        assert total > 0 and all(tiers)
        # Each is cut down to whole Wh, and they are read one after another.
        assert 0 <= total - sum(tiers) <= 3
    assert {unit for _, name, _, _, unit in kept if name == "forward_wh"} == {"Wh"}


def test_a_full_day_of_intervals(job):
    kept = rows(
        job, "SELECT unique_id, quantity, ends_at, register, consumption FROM interval ORDER BY 3"
    )
    series = {}
    for uid, quantity, *interval in kept:
        series.setdefault((uid, quantity), []).append(interval)
    assert {quantity for _, quantity in series} == {"forward_wh", "reverse_wh"}
    assert len(series) == 2 * DEVICES
    for day in series.values():
        assert len(day) == INTERVALS
        for (_, before, _), (_, now, used) in pairwise(day):
            assert now - before == used >= 0
    fed_in = {uid for (uid, name), day in series.items() if name == "reverse_wh" and day[-1][1]}
    assert len(fed_in) == 1  # one house has solar cells


def test_pictures(job):
    drawing = ET.parse(job.folder / "load-curve.svg").getroot()
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert sum(1 for _ in drawing.iter("{http://www.w3.org/2000/svg}path")) > DEVICES
    png = (job.folder / "load-curve.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n") and b"IEND" in png[-12:]


def test_every_frame_is_explained(job):
    """Without keys to the full stack of layers, with a device's key to its tables."""
    count = sum(1 for _ in pcap.read(job.capture))
    ended = osgp("decode", job.capture)
    assert ended.returncode == 0, ended.stderr
    heads = re.findall(r"^(\d+)  \d\d:\d\d:\d\d\.\d+ #(\d)  (.+)$", ended.stdout, re.MULTILINE)
    assert [int(number) for number, *_ in heads] == list(range(1, count + 1))
    assert {transceiver for _, transceiver, _ in heads} == {"0", "1", "2", "3"}
    assert ended.stdout.count("CRC ") == ended.stdout.count(", good") == count
    words = ended.stdout.lower()
    assert not [w for w in ("unknown", "malformed", "not understood", "no frame") if w in words]


def test_the_key_of_a_device_opens_its_frames(job):
    store = job.folder / "run" / "concentrator.db"
    ended = osgp("decode", job.capture, "--device", "1/1", "--store", store)
    assert ended.returncode == 0, ended.stderr
    for what in ("BT01", "BT23", "BT28", "BT64", "digest"):
        assert what in ended.stdout
    vault = Vault(store)
    keys = [vault.find(f"1/{node}").key.hex() for node in (1, 2, 3)]
    vault.close()
    assert not [key for key in keys if key in ended.stdout.lower()]


def test_wireshark_sees_the_same_in_every_frame(job):
    if not tshark.installed():
        pytest.skip("no tshark here: Debian's package `tshark` has it")
    assert tshark.disagreements(job.capture) == []


def test_nothing_but_what_it_says_is_left(job):
    made = {path.name for path in job.folder.iterdir()}
    assert made == {
        "run",
        "run.pcap",
        "readings.db",
        "load-curve.svg",
        "load-curve.png",
    }
    assert not list(Path(job.folder, "run").glob("*.tty")), "terminals of a line that has ended"
    for log in Path(job.folder, "run").glob("*.log"):
        assert "Traceback" not in log.read_text()

"""Thirty houses from the first search to the switching of a group, in processes of their own: the
same seed gives the same frames, whatever else differs between two processes.
"""

import json
import os
import subprocess
import sys

import pytest

from osgp_tools.simulation import report


def lived(topology, loss, seed=1, salt=0):
    command = [sys.executable, "-m", "osgp_tools.simulation_run", topology]
    command += ["--loss", str(loss), "--seed", str(seed)]
    environment = os.environ | {"PYTHONHASHSEED": str(salt)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def thirty():
    return lived("streets:30", 0.05)


def test_everybody_is_found_read_and_switched(thirty):
    done = {piece["name"]: (piece["done"], piece["wanted"]) for piece in thirty["pieces"]}
    for name in ("discover", "commission", "set clocks", "read a day", "ask who has switched"):
        assert done[name] == (30, 30), name


def test_the_same_seed_gives_the_same_frames(thirty):
    again = lived("streets:30", 0.05, salt=1)
    assert again["digest"] == thirty["digest"]
    for one, other in zip(again["pieces"], thirty["pieces"], strict=True):
        del one["computed"], other["computed"]
        assert one == other


def test_another_seed_gives_others(thirty):
    assert lived("star:3", 0.05)["digest"] != lived("star:3", 0.05, seed=2)["digest"]


def test_shares_are_shares(thirty):
    assert all(0 < piece["share"] < 1 for piece in thirty["pieces"])


def test_a_page_tells_of_it(thirty):
    page = report.page([thirty], {"devices": 7, "line_s": 86400, "computed_s": 2.0})
    assert "30 of 30" in page
    assert "streets of 30 houses, seed 1" in page
    assert thirty["digest"][:16] in page

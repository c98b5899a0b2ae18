"""Scenarios share `world.py`; every frame of every scenario goes to a capture, and tshark, whose
LON dissector nobody here wrote, has to make the same of each as our own decoder.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from world import Record

from osgp_tools import tshark


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """What all networks of a file put on their lines. Looked at when its tests have ended."""
    record = Record(tmp_path_factory.mktemp("scenarios"))
    yield record
    record.close()
    assert record.frames, "nobody said anything"
    if tshark.installed():
        assert tshark.disagreements(record.path) == []

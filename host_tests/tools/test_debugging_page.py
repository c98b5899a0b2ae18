"""docs/debugging.md: every line that it has after a prompt, on a device of the desk."""

import re
from pathlib import Path

import pytest

from desk import Desk

PAGE = Path(__file__).parents[2] / "docs" / "debugging.md"
LINES = re.findall(r"^    >>> (.*)$", PAGE.read_text(), re.MULTILINE)
RAISES = "1 / 0"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


def test_the_page_has_lines():
    assert len(LINES) > 10


@pytest.mark.parametrize("line", LINES)
def test_a_line(desk, line):
    printed = desk.console(line)
    assert ("Traceback" in printed) == (line == RAISES)
    assert printed

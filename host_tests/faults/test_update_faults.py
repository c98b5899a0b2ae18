"""A slice of what can go wrong in an update. All of it: `make test-faults`."""

import pytest
import update_images
from update_faults import BITS, FAILING, HOSTILE, LIFE, PAIRS, REAL, run

from test_on_micropython import RUNS, interpreter


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    update_images.make(folder)
    return folder


@pytest.fixture
def micropython():
    found = interpreter(RUNS["64-bit"][0])
    if found is None:
        pytest.skip("no 64-bit MicroPython")
    return found


@pytest.mark.parametrize(
    ("sections", "first"),
    [("download", 0), ("download", 200), ("switch+confirm", 0), ("cable", 30)],
)
def test_power_cuts(micropython, images, sections, first):
    _, cases = run(micropython, images, LIFE, sections, first, first + 12)
    assert cases == 4 * 12


def test_a_pair_of_power_cuts(micropython, images):
    _, cases = run(micropython, images, PAIRS, "confirm", 14, 15)
    assert cases > 100


@pytest.mark.parametrize(
    ("state", "last"), [("bare", 300), ("trial", 300), ("confirmed", 300), ("download", 140)]
)
def test_flipped_bits(micropython, images, state, last):
    _, cases = run(micropython, images, BITS, state, 100, last)
    assert cases == last - 100


def test_images_that_are_not_good(micropython, images):
    _, cases = run(micropython, images, HOSTILE, "signed_digest", "stranger", "raises")
    assert cases > 5


def test_flash_that_fails(micropython, images):
    _, cases = run(micropython, images, FAILING, 60, "switch")
    assert cases > 8


def test_the_real_firmware_after_a_power_cut(micropython, images):
    _, cases = run(micropython, images, REAL, 1, 1)
    assert cases == 1

"""A random source that repeats is noticed."""

from fakes import Settings
from osgp.security.random import Random


class Source:
    def __init__(self, start=0, step=1):
        self.next = start
        self.step = step

    def draw(self, n):
        octets = bytes((self.next & 0xFF,)) * n
        self.next += self.step
        return octets


def test_one_that_differs():
    settings = Settings()
    assert not Random(Source(1).draw, settings).repeats
    assert not Random(Source(7).draw, settings).repeats


def test_one_that_stands_still():
    assert Random(Source(1, 0).draw, Settings()).repeats


def test_one_that_begins_the_same_at_each_start():
    settings = Settings()
    assert not Random(Source(1).draw, settings).repeats
    for _ in range(2):
        assert Random(Source(1).draw, settings).repeats


def test_the_draw_itself_is_not_kept():
    settings = Settings()
    Random(Source(0x55).draw, settings)
    assert bytes((0x55,)) * 16 not in bytes(settings.kept["random"])

"""The console beside the running device."""

import sys

from console import Console
from support import MICROPYTHON


class Stream:
    def __init__(self, text):
        self.octets = text.encode()

    def readinto(self, buf):
        if not self.octets:
            return None
        buf[0] = self.octets[0]
        self.octets = self.octets[1:]
        return 1


class Model:
    def size(self, number):
        return 3 if number == 1 else -1

    def read(self, number, offset, n, buf, o, level):
        buf[o : o + n] = b"abc"
        return 0


class Device:
    def __init__(self):
        self.model = Model()
        self.marks = []


class Said:
    """What was printed meanwhile; on MicroPython, where it cannot be caught, nothing."""

    def __enter__(self):
        self.text = ""
        self._stdout = sys.stdout
        if not MICROPYTHON:
            sys.stdout = self
        return self

    def __exit__(self, *_):
        if not MICROPYTHON:
            sys.stdout = self._stdout

    def write(self, text):
        self.text += text
        return len(text)


def typed(text):
    """The device, and what the console said to the lines."""
    device = Device()
    with Said() as said:
        console = Console(device, Stream(text))
        for _ in range(len(text) + 2):  # the last ones find nothing
            console.readable(0)
    return device, said.text


def test_a_line_is_run_where_the_device_is_known():
    device, _ = typed("device.marks.append(7)\n")
    assert device.marks == [7]
    device, _ = typed("a = 3; device.marks.append(a)\r")
    assert device.marks == [3]


def test_a_value_is_shown():
    if not MICROPYTHON:
        assert ">>> 5\n>>> " in typed("2 + 3\n")[1]
        assert "'616263'" in typed("read(1)\n")[1]
        assert "no such table" in typed("read(2)\n")[1]
        assert typed("\n\nNone\n")[1].count(">>> ") == 4


def test_what_a_line_raises_stays_in_the_console():
    device, text = typed("1 / 0\ndevice.nothing\n)\ndevice.marks.append(1)\n")
    assert device.marks == [1]
    assert MICROPYTHON or "ZeroDivisionError" in text


def test_a_line_has_an_end():
    device, _ = typed("device.marks.append(" + "1" * 500 + ")\ndevice.marks.append(2)\n")
    assert device.marks == [2]

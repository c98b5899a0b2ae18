"""The stopwatch around flash."""

from flash_time import FlashTime, TimedFlash, TimedSettings


class Chip:
    """Flash and settings in one: each call takes its time, and may fail."""

    unit = 16

    def __init__(self):
        self.now = 0x3FFFFF00  # the ticks wrap on the way
        self.log = []
        self.fails = False

    def ticks_us(self):
        return self.now

    def _take(self, us, *call):
        self.now = (self.now + us) & 0x3FFFFFFF
        self.log.append(call)
        if self.fails:
            raise OSError(5)

    def read(self, address, buf):
        self._take(3, "read", address)

    def program(self, address, buf):
        self._take(700, "program", address, bytes(buf))

    def erase(self, address):
        self._take(45000, "erase", address)

    def load(self, name, buf):
        self._take(2, "load", name)
        return -1

    def window(self, name):
        self._take(2, "window", name)
        return 3

    def copy(self, offset, buf, o, n):
        self._take(1, "copy", offset, n)

    def remove(self, name):
        self._take(6000, "remove", name)

    def replace(self, name, buf, n):
        self._take(9000, "replace", name, bytes(buf[:n]))


def test_what_writes_is_timed():
    chip = Chip()
    time = FlashTime(chip.ticks_us)
    flash = TimedFlash(chip, time)
    settings = TimedSettings(chip, time)
    assert flash.unit == 16
    flash.read(5, bytearray(1))
    assert settings.load("a", bytearray(1)) == -1
    assert settings.window("a") == 3
    settings.copy(1, bytearray(2), 0, 2)
    assert (time.spent, time.longest, time.operations) == (0, 0, 0)
    flash.program(16, b"xy")
    flash.erase(4096)
    settings.replace("a", b"abc", 2)
    settings.remove("b")
    assert (time.spent, time.longest, time.operations) == (60700, 45000, 4)
    assert chip.log[2:4] == [("window", "a"), ("copy", 1, 2)]
    assert chip.log[4:6] == [("program", 16, b"xy"), ("erase", 4096)]
    assert chip.log[6:] == [("replace", "a", b"ab"), ("remove", "b")]


def test_what_fails_has_taken_its_time_too():
    chip = Chip()
    time = FlashTime(chip.ticks_us)
    chip.fails = True
    for call in (
        lambda: TimedFlash(chip, time).program(0, b""),
        lambda: TimedFlash(chip, time).erase(0),
        lambda: TimedSettings(chip, time).replace("a", b"", 0),
        lambda: TimedSettings(chip, time).remove("a"),
    ):
        try:
            call()
            raise AssertionError("the failure was lost")
        except OSError:
            pass
    assert (time.spent, time.operations) == (60700, 4)

"""Lists of copies of the registers: whole, in order, and the same after power failed anywhere."""

import rare
from fakes import Settings
from meter.copies import NEVER, Copies
from support import noise

ENTRIES = 3
SIZE = 20


class PowerCut(Exception):  # noqa: N818  not an error of the code under test
    """Power went while a setting was written: the old value is there."""


class Cut(Settings):
    """Settings whose power goes at one replacement: before it, or right after it."""

    def __init__(self, kept=None):
        super().__init__(kept)
        self.left = -1
        self.after = False

    def replace(self, name, buf, n):
        if self.left == 0 and not self.after:
            raise PowerCut
        super().replace(name, buf, n)
        if self.left == 0:
            raise PowerCut
        self.left -= 1


def new(settings):
    return Copies(settings, "XX", ENTRIES, SIZE)


def image(n):
    return bytearray(bytes((n & 0xFF,)) * SIZE)


def add(copies, image, day):
    return rare.run("meter.copies_change", copies, "add", image, day)


def table(copies):
    buf = bytearray(6 + ENTRIES * SIZE)
    copies.read(0, len(buf), buf, 0)
    return buf


def expected(count, unread, overflow):
    """The table after `count` entries, the n-th of octets n."""
    body = bytearray(6 + ENTRIES * SIZE)
    body[0] = 4 | 2 * overflow
    if count:
        body[1] = min(count, ENTRIES)
        body[2] = (count - 1) % ENTRIES
        body[3] = (count - 1) & 0xFF
        body[4] = (count - 1) >> 8 & 0xFF
    body[5] = unread
    for n in range(max(count - ENTRIES, 0), count):
        a = 6 + n % ENTRIES * SIZE
        body[a : a + SIZE] = image(n)
    return body


def test_empty():
    copies = new(Settings())
    assert table(copies) == expected(0, 0, False)
    assert copies.day == NEVER


def test_entries_come_and_go():
    settings = Settings()
    copies = new(settings)
    for n in range(300):
        lost = add(copies, image(n), n)
        assert lost == (n >= ENTRIES)
        assert table(copies) == expected(n + 1, min(n + 1, ENTRIES), n >= ENTRIES)
        assert table(new(settings)) == table(copies)
        assert new(settings).day == n


def test_reading_and_resetting():
    settings = Settings()
    copies = new(settings)
    for n in range(5):
        add(copies, image(n), NEVER)
    copies.read_entries(1)
    assert table(copies) == expected(5, 2, False)
    assert not add(copies, image(5), NEVER)
    assert table(new(settings)) == expected(6, 3, False)
    copies.read_entries(200)
    assert table(new(settings)) == expected(6, 0, False)
    add(copies, image(6), NEVER)
    copies.reset_list()
    assert table(new(settings)) == expected(7, 0, False)


def test_any_part_is_the_same():
    copies = new(Settings())
    for n in range(4):
        add(copies, image(n), NEVER)
    whole = table(copies)
    for a in range(len(whole)):
        for n in range(1, len(whole) - a + 1, 5):
            buf = bytearray(n + 2)
            copies.read(a, n, buf, 1)
            assert buf[1:-1] == whole[a : a + n]
            assert buf[0] == buf[-1] == 0


def test_power_cut_at_each_replacement():
    for after in (False, True):
        for cut in range(20):
            settings = Cut()
            settings.left = cut
            settings.after = after
            copies = new(settings)
            done = 0
            try:
                for n in range(12):
                    add(copies, image(n), n)
                    done += 1
            except PowerCut:
                pass
            settings.left = -1
            copies = new(settings)
            assert copies.count in (done, done + 1)
            count = copies.count
            unread = min(count, ENTRIES)
            assert table(copies) == expected(count, unread, count > ENTRIES), (cut, after)
            add(copies, image(count), 0)
            unread = min(count + 1, ENTRIES)
            assert table(copies) == expected(count + 1, unread, count >= ENTRIES)


def test_a_damaged_entry_reads_as_zeros():
    settings = Settings()
    copies = new(settings)
    for n in range(1, 3):
        add(copies, image(n), NEVER)
    del settings.kept["XX0"]
    assert table(copies)[6 : 6 + SIZE] == bytes(SIZE)
    assert table(copies)[6 + SIZE : 6 + 2 * SIZE] == image(2)


def test_an_entry_of_an_earlier_or_later_version_is_shown_as_far_as_it_goes():
    settings = Settings()
    copies = new(settings)
    for n in range(1, 3):
        add(copies, image(n), NEVER)
    settings.kept["XX0"] = image(1)[:3]
    settings.kept["XX1"] += b"later"
    assert table(copies)[6 : 6 + SIZE] == image(1)[:3] + bytes(SIZE - 3)
    assert table(copies)[6 + SIZE : 6 + 2 * SIZE] == image(2)


def test_a_count_beyond_16_bits():
    settings = Settings()
    copies = new(settings)
    add(copies, image(0), 7)
    kept = bytearray(settings.kept["XX"])
    kept[0:4] = b"\xff\xff\x01\x00"
    settings.kept["XX"] = bytes(kept)
    copies = new(settings)
    assert copies.count == 0x1FFFF
    add(copies, image(9), 8)
    assert new(settings).count == 0x20000
    assert table(new(settings))[3:5] == b"\xff\xff"


def test_noise():
    """Reads at any place of a list in any state never raise and stay in their range."""
    spread = noise(600)
    copies = new(Settings())
    for k in range(0, 600, 3):
        if spread[k] % 3 == 0:
            add(copies, image(copies.count), NEVER)
        if spread[k] % 7 == 0:
            copies.read_entries(spread[k + 1] % 4)
        a = spread[k + 1] % 66
        n = spread[k + 2] % (66 - a)
        buf = bytearray(66)
        copies.read(a, n, buf, 0)
        assert buf[:n] == table(copies)[a : a + n]


def test_flash_that_fails_changes_nothing():
    settings = Settings()
    copies = new(settings)
    add(copies, image(0), 1)
    before = table(copies)
    settings.fails = True
    for what, argument in (("add", image(1)), ("read", 1)):
        try:
            rare.run("meter.copies_change", copies, what, argument, 2)
            raise AssertionError("the failure was not noticed")
        except OSError:
            pass
    settings.fails = False
    assert table(copies) == before
    assert (copies.count, copies.unread, copies.day) == (1, 1, 1)

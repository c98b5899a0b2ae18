"""Tables whose layout has changed. With littlefs and power cuts: faults/migration_life.py."""

from fakes import Blob, Settings
from osgp import migration
from osgp.pending import HEADER
from support import unhex
from tables.model import ANYONE, OK, Model, name_of

UTILITY = 6  # kept
OVERRIDE = 2048 + 47  # stored, with a pending table
HEAD = bytes(range(100, 100 + HEADER))

# Layouts of UTILITY: 1 {a 2, b 2, c 1}, 2 {b 2, new 1, c 2, a 2}, 3 {a 2, c 2, new 1}
# and of OVERRIDE: 1 {a 1, b 1}, 2 {a 1, b 1, new 1}
MOVES = {
    2: unhex(
        "0600 0200 01 00  0500 04 0000 0500 0200 0200 0000 0200 0400 0300 0100 ffff 0400 0100"
    ),
    3: unhex(
        "0600 0200 02 00  0500 03 0000 0000 0200 0400 0200 0100 ffff 0300 0100"
        "0700 02 0500 0000 0200 0300 0200 0200"
    ),
}
OF_OVERRIDE = unhex("2f08 1200 01 01  0200 01 0000 0000 0200")
BODIES = {1: b"aabbc", 2: b"BBNCCAA", 3: b"AACCN"}


class Cut(Exception):  # noqa: N818  not an error of the code under test
    """Power went."""


class Device:
    """What a start with the firmware of a version makes of what is kept."""

    def __init__(self, version, kept):
        self.version = version
        self.settings = Settings(kept)
        made = Blob()
        body = BODIES[version]
        made.add(UTILITY, 1, len(body), 0, 0, body, ((0, 0xFFFF),), version=version)
        later = min(version, 2)
        made.add(OVERRIDE, 4, 1 + later, 0, 0, b"xyz"[: 1 + later], pending=True, version=later)
        self.migrations = MOVES[version] + OF_OVERRIDE if version > 1 else b""
        self.blob = made.build()
        self.arena = made.arena

    def start(self):
        migration.run(self.settings, self.migrations, self.blob)
        self.model = Model(self.blob, self.arena, self.settings)
        return self

    def read(self, number):
        out = bytearray(self.model.size(number))
        assert self.model.read(number, 0, len(out), out, 0, ANYONE) == OK
        return bytes(out)

    def write(self, octets, offset=0):
        assert self.model.write(UTILITY, offset, octets, 0, len(octets), ANYONE, 0) == OK

    def forget(self):
        migration.forget(self.settings, self.migrations)


def start(version, kept):
    return Device(version, kept).start()


def test_names():
    assert name_of(6, 1) == "BT06"
    assert name_of(2048 + 4, 1) == "ET04"
    assert name_of(2048 + 104, 12) == "ET104.12"


def test_what_was_kept_is_carried_over_and_stays():
    kept = {"BT06": b"12345", "ET47": b"67", "PET47": HEAD + b"89", "DM": b"whatever"}
    old = dict(kept)
    device = start(2, kept)
    assert device.read(UTILITY) == b"34N5\x0012"
    assert device.read(OVERRIDE) == b"67z"
    assert kept["PET47.2"] == HEAD + b"89z"
    assert {name: kept[name] for name in old} == old
    assert sorted(kept) == ["BT06", "BT06.2", "DM", "ET47", "ET47.2", "PET47", "PET47.2", "moved"]


def test_a_version_may_be_skipped():
    kept = {"BT06": b"12345"}
    assert start(3, kept).read(UTILITY) == b"125\x00N"
    kept = {"BT06": b"12345"}
    start(2, kept).write(b"new", 2)
    assert start(3, kept).read(UTILITY) == b"12ewN"  # of the newer one


def test_nothing_is_written_again_at_the_next_start():
    kept = {"BT06": b"12345"}
    device = start(2, kept)
    assert device.settings.replaced == 3  # the notes, the table, the notes
    device.write(b"AAA")
    device = start(2, kept)
    assert device.settings.replaced == 0
    assert device.read(UTILITY) == b"AAA5\x0012"


def test_a_new_device_has_the_defaults():
    kept = {}
    device = start(2, kept)
    assert device.read(UTILITY) == BODIES[2]
    assert device.read(OVERRIDE) == b"xyz"
    assert start(2, kept).settings.replaced == 0


def test_the_old_version_finds_its_own():
    kept = {"BT06": b"12345"}
    start(2, kept).write(b"AAAAAAA")
    device = start(1, kept)
    assert device.read(UTILITY) == b"12345"
    assert start(2, kept).read(UTILITY) == b"AAAAAAA"  # the old one has changed nothing


def test_what_the_old_version_changed_is_carried_over_again():
    kept = {"BT06": b"12345", "PET47": HEAD + b"89"}
    start(2, kept).write(b"AAAAAAA")
    start(1, kept).write(b"54")
    assert start(2, kept).read(UTILITY) == b"34N5\x0054"
    kept["PET47"] = HEAD + b"00"
    del kept["PET47.2"]
    assert start(2, kept).read(OVERRIDE) == b"xyz"
    assert kept["PET47.2"] == HEAD + b"00z"


def test_a_table_and_its_pending_one_belong_together():
    """The old version forgot nothing but has changed the table: what the new one has pending is
    gone, for the old one has nothing pending."""
    kept = {"ET47": b"67"}
    start(2, kept)
    kept["PET47.2"] = HEAD + b"89z"
    assert start(2, kept).settings.replaced == 0
    kept["ET47"] = b"76"
    assert start(2, kept).read(OVERRIDE) == b"76z"
    assert "PET47.2" not in kept


def test_an_old_value_that_is_first_written_after_a_trial_is_carried_over():
    kept = {}
    start(2, kept).write(b"AAAAAAA")
    start(1, kept).write(b"5", 4)
    assert start(2, kept).read(UTILITY) == b"bbN5\x00aa"


def test_a_value_of_another_length_is_not_the_table_s():
    for wrong in (b"", b"1234", b"123456"):
        kept = {"BT06": wrong}
        assert start(2, kept).read(UTILITY) == BODIES[2]


def test_forgotten_is_what_is_not_ours():
    kept = {"BT06": b"12345", "ET47": b"67", "PET47": HEAD + b"89", "DM": b"whatever"}
    device = start(2, kept)
    device.write(b"AAAAAAA")
    device.forget()
    assert sorted(kept) == ["BT06.2", "DM", "ET47.2", "PET47.2", "moved"]
    device = start(2, kept)
    assert device.read(UTILITY) == b"AAAAAAA"
    assert device.settings.replaced == 0
    device.forget()
    assert start(2, kept).read(UTILITY) == b"AAAAAAA"


def test_the_old_version_forgets_what_a_trial_left():
    kept = {"BT06": b"12345"}
    start(2, kept).write(b"AAAAAAA")
    start(1, kept).forget()
    assert kept == {"BT06": b"12345"}
    assert start(2, kept).read(UTILITY) == b"34N5\x0012"


def test_a_trial_of_another_version_starts_from_ours():
    """1, a trial of 2, 1 again, then 3: what 2 left is not in the way."""
    kept = {"BT06": b"12345"}
    start(2, kept).write(b"AAAAAAA")
    start(1, kept).forget()
    device = start(3, kept)
    assert device.read(UTILITY) == b"125\x00N"
    device.forget()
    assert sorted(kept) == ["BT06.3", "moved"]


def test_after_a_way_back_all_is_as_on_the_way_there():
    """2 is confirmed and 1 put into the other bank again: it begins with the defaults, and what
    it then keeps is carried over."""
    kept = {"BT06": b"12345"}
    start(2, kept).forget()
    device = start(1, kept)
    assert device.read(UTILITY) == b"aabbc"
    device.write(b"12345")  # as it was when it was carried over the first time
    assert start(2, kept).read(UTILITY) == b"34N5\x0012"


def cut_everywhere(version, kept, act):
    """Power goes before each of the writes of `act`. Yields what is kept then."""
    k = 0
    while True:
        left = dict(kept)
        device = Device(version, left)
        count = [0]

        def cut(name, count=count, k=k):
            count[0] += 1
            if count[0] > k:
                raise Cut

        device.settings.on_replace = cut
        remove = device.settings.remove

        def removed(name, remove=remove, cut=cut):
            cut(name)
            remove(name)

        device.settings.remove = removed
        try:
            act(device)
        except Cut:
            yield left
            k += 1
            continue
        return


def test_power_may_go_while_tables_are_carried_over():
    kept = {"BT06": b"12345", "ET47": b"67", "PET47": HEAD + b"89"}
    count = 0
    for left in cut_everywhere(2, kept, Device.start):
        assert start(1, dict(left)).read(UTILITY) == b"12345"
        device = start(2, left)
        assert device.read(UTILITY) == b"34N5\x0012"
        assert device.read(OVERRIDE) == b"67z"
        assert left["PET47.2"] == HEAD + b"89z"
        count += 1
    assert count == 5


def test_power_may_go_while_they_are_carried_over_again():
    kept = {"BT06": b"12345", "ET47": b"67", "PET47": HEAD + b"89"}
    start(2, kept).write(b"AAAAAAA")
    start(1, kept).write(b"54")
    del kept["PET47"]
    count = 0
    for left in cut_everywhere(2, kept, Device.start):
        device = start(2, left)
        assert device.read(UTILITY) == b"34N5\x0054"
        assert device.read(OVERRIDE) == b"67z"
        assert "PET47.2" not in left
        count += 1
    assert count == 5


def test_power_may_go_while_the_old_is_forgotten():
    """Never is an older layout carried over the newer one again, and the next time all goes."""
    kept = {"BT06": b"12345", "ET47": b"67", "PET47": HEAD + b"89"}
    start(2, kept)
    device = start(3, kept)
    device.write(b"XXXXX")
    kept["PET47.2"] = HEAD + b"new"
    count = 0
    for left in cut_everywhere(3, kept, Device.forget):
        device = start(3, left)
        assert device.read(UTILITY) == b"XXXXX"
        assert left["PET47.2"] == HEAD + b"new"
        device.forget()
        assert sorted(left) == ["BT06.3", "ET47.2", "PET47.2", "moved"]
        count += 1
    assert count >= 6


def test_power_may_go_while_the_old_version_forgets():
    kept = {"BT06": b"12345", "ET47": b"67"}
    start(2, kept).write(b"AAAAAAA")
    for left in cut_everywhere(1, kept, Device.forget):
        device = start(1, left)
        assert device.read(UTILITY) == b"12345"
        device.forget()
        assert left == {"BT06": b"12345", "ET47": b"67"}


def test_full_flash_leaves_what_was_kept():
    kept = {"BT06": b"12345"}
    device = Device(2, kept)
    device.settings.fails = True
    try:
        device.start()
        raise AssertionError("carried over")
    except OSError:
        pass
    assert kept == {"BT06": b"12345"}

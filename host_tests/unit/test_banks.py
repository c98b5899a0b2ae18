"""The selector on a NOR flash whose power goes at any operation, and headers of banks.

The choice at a start is in test_bank_choice.py.
"""

import struct
from binascii import crc32

import banks
from bank_support import SECTOR, WAYS, Nor, cut

FIRST = 28 * SECTOR
SECOND = 29 * SECTOR
A, B = b"image A.", b"image B."


def seen(state):
    return (
        state.number, state.confirmed, state.trial, state.open, state.tries, state.hours,
        state.why, state.floor, tuple(state.ids),
    )  # fmt: skip


def begun(flash=None):
    """A selector with A confirmed and B on trial."""
    state = banks.load(flash or Nor())
    state.ids[0] = A
    state.begin_trial(1, B)
    return state


def changes(state):
    """Every kind of change, one after the other."""
    state.ids[0] = A
    for step in (
        lambda: state.begin_trial(1, B), state.open_run, state.hour, state.close_run,
        lambda: state.confirm(7), lambda: state.begin_trial(0, A), lambda: state.end_trial(5),
    ):  # fmt: skip
        step()
        yield


# --------------------------------------------------------------------------------------- selector


def test_nothing_was_ever_written():
    flash = Nor()
    state = banks.load(flash)
    assert seen(state) == (0, 0, False, False, 0, 0, 0, 0, (bytes(8), bytes(8)))
    state.keep()
    assert flash.operations == 0


def test_record_octet_by_octet():
    state = begun()
    state.open_run()
    state.floor = 0x01020304
    state.hour()
    record = struct.pack("<IBBBBI", 3, 0b110, 3, 1, 1, 0x01020304) + A + B
    record += struct.pack("<I", crc32(record))
    for start in (FIRST, SECOND):
        assert state._flash.data[start + 64 : start + 96] == record
        assert state._flash.data[start + 96 : start + 128] == b"\xff" * 32


def test_what_was_kept_comes_back():
    flash = Nor()
    state = banks.load(flash)
    for _ in changes(state):
        operations = flash.operations
        assert seen(banks.load(flash)) == seen(state)
        assert flash.operations == operations, "reading writes nothing"


def test_a_trial_and_its_end():
    state = begun()
    assert (state.trial, state.tries, state.hours, state.why) == (True, 3, 0, 1)
    state.open_run()
    state.hour()
    state.confirm(5)
    assert (state.confirmed, state.trial, state.open, state.tries, state.why) == (
        1,
        False,
        0,
        0,
        2,
    )
    assert state.floor == 5
    state.begin_trial(0, b"third...")
    state.confirm(3)
    assert (state.confirmed, state.floor) == (0, 5), "the floor does not fall"
    assert state.ids == [b"third...", B]
    state.begin_trial(1, B)
    state.end_trial(banks.USED_UP)
    assert (state.confirmed, state.trial, state.why) == (0, False, 3)


def test_the_same_once_more_is_not_written():
    state = begun()
    operations = state._flash.operations
    state.keep()
    state.close_run()
    assert state._flash.operations == operations


def test_logs_go_round():
    """One log is erased and begun again while the other holds what counts."""
    flash = Nor()
    state = begun(flash)
    for number in range(2, 400):
        (state.open_run if number % 2 == 0 else state.close_run)()
        assert state.number == number
        if number % 9 == 0 or number % 128 < 3:
            assert seen(banks.load(flash)) == seen(state)
    assert flash.operations == 2 * 399 + 2 * 3


# ------------------------------------------------------------------------- power, and other damage


def filled(count):
    """A flash with `count` records in each log, the last but one of an open run."""
    flash = Nor()
    state = begun(flash)
    while state.number < count:
        (state.close_run if state.open else state.open_run)()
    return flash.data


def survives(data, cut_at, way):
    """A cut in an operation of a change gives what was or what is, and the next change holds.
    Returns whether power went."""
    flash = Nor(data)
    state = banks.load(flash)
    was = state.number, state.hours
    was_cut = cut(flash, cut_at, way, state.hour)
    after = banks.load(flash)
    assert (after.number, after.hours) in (was, (was[0] + 1, was[1] + 1))
    assert seen(after) == seen(banks.load(flash)), "what was read once stays so"
    hours = after.hours
    after.hour()
    assert banks.load(flash).hours == hours + 1
    return was_cut


def test_power_goes_in_every_operation():
    cuts = 0
    for count in (1, 2, 127, 128, 129, 255, 256):
        data = filled(count)
        for way in WAYS:
            cut_at = 0
            while survives(data, cut_at, way):
                cuts += 1
                cut_at += 1
            assert cut_at == (4 if count % 128 == 0 else 2)
    print("selector:", cuts, "cuts")


def test_power_goes_twice():
    """The second time while what the first left behind is put right, or in the next change."""
    pairs = 0
    for count, operations in ((3, 2), (128, 4)):
        data = filled(count)
        for first in range(operations):
            for way in WAYS:
                flash = Nor(data)
                assert cut(flash, first, way, banks.load(flash).hour)
                pairs += pairs_after(flash.data)
    print("selector:", pairs, "pairs of cuts")


def pairs_after(torn):
    """Every cut of the next change on what a cut has left. Returns how many."""
    pairs = 0
    for way in WAYS:
        operation = 0
        flash = Nor(torn)
        while cut(flash, operation, way, lambda: banks.load(flash).hour()):  # noqa: B023
            after = banks.load(flash)
            assert after.tries == 3 and after.trial and 0 <= after.hours <= 2
            operation += 1
            pairs += 1
            flash = Nor(torn)
        assert operation >= 2
        assert 1 <= banks.load(flash).hours <= 2
    return pairs


def test_a_flipped_bit_anywhere_costs_nothing():
    state = begun()
    state.open_run()
    for start in (FIRST, SECOND):
        for bit in range(3 * 32 * 8):
            flash = Nor(state._flash.data)
            flash.data[start + bit // 8] ^= 1 << bit % 8
            after = banks.load(flash)
            assert seen(after) == seen(state)
            after.close_run()
            assert not banks.load(flash).open


def test_neither_log_holds_anything_whole():
    state = begun()
    for junk in (b"\0" * SECTOR, b"\x5a" * SECTOR):
        flash = Nor(state._flash.data)
        flash.data[FIRST : FIRST + SECTOR] = flash.data[SECOND : SECOND + SECTOR] = junk
        after = banks.load(flash)
        assert after.number == 0 and not after.trial
        after.set_confirmed(1, banks.BY_CABLE)
        after.keep()
        assert banks.load(flash).confirmed == 1


def test_a_sector_that_is_worn_out():
    """It keeps nothing, or says that it does not: the other log is enough."""
    for kind in ("dead", "failing"):
        for sector in (28, 29):
            flash = Nor(filled(127))
            setattr(flash, kind, (sector,))
            state = banks.load(flash)
            for _ in range(5):
                state.hour()
            assert banks.load(flash).hours == 5
        setattr(flash, kind, (28, 29))
        state = banks.load(flash)
        try:
            state.end_trial(banks.TOO_LONG)
            raise AssertionError("it was not kept")
        except OSError as error:
            assert error.args[0] == 5
        assert banks.load(flash).trial


# ---------------------------------------------------------------------------------------- headers


def head(length=1, family=b"any", mpy=6, bits=31, form=1, magic=b"OSGPBANK"):
    return struct.pack(
        "<8sHHIII16sBBxx32s", magic, form, 76, length, 2, 3, family, mpy, bits, b"d" * 32
    )


def test_header():
    assert banks.header(head()) == (1, 2, 3, b"any", 6, 31, b"d" * 32)
    assert banks.header(memoryview(head(family=b"pico"))) == (1, 2, 3, b"pico", 6, 31, b"d" * 32)
    assert banks.header(head(form=2), 2) is not None
    for other in (b"", head()[:75], head(form=2), head(magic=b"OSGPBANk"), b"\xff" * 76):
        assert banks.header(other) is None


def test_what_cannot_run_here():
    assert banks.unfit(None, b"pico") == 1
    assert banks.unfit(banks.header(head(family=b"pico")), b"pico") == 0
    assert banks.unfit(banks.header(head(family=b"pico")), b"desk") == 2
    assert banks.unfit(banks.header(head(mpy=5)), b"pico") == 3
    assert banks.unfit(banks.header(head(bits=64)), b"pico") == 3
    assert banks.unfit(banks.header(head(length=0)), b"pico") == 4
    assert banks.unfit(banks.header(head(length=188096)), b"pico") == 0
    assert banks.unfit(banks.header(head(length=188097)), b"pico") == 4


def test_identity():
    """SHA-256 of 76 times 00, by sha256sum."""
    assert banks.identity(bytes(76)) == b"\xf2\xc0\xd5\x45\x6a\x98\x3e\xcd"

"""Which bank runs: the choice at a start, on banks that are only said to be there.

Real banks under boot.py: host_tests/tools/test_choosing.py.
"""

import bank_choice
import banks
from bank_support import WAYS, Nor, cut

IDS = (b"image A.", b"image B.")
OTHER = b"another."
KEY = b"the key"


class Bank:
    """As bank_choice.Bank."""

    def __init__(self, k, *, image=None, version=1, security=0, whole=True, marked=False,
                 unseen=False, signed=False):  # fmt: skip
        self.k = k
        self.name = "AB"[k]
        self.id = IDS[k] if image is None else image
        self.version = version
        self.security = security
        self.is_marked = marked
        self.is_unseen = unseen
        self._whole = whole
        self._signed = signed

    def is_whole(self):
        return self._whole

    def is_signed(self, key):
        return key == KEY and self._signed

    def open(self):
        return "/bank" + self.name


def state_of(flash=None, confirmed=0, ids=IDS, floor=0, trial=None):
    """A selector; trial: tries, hours, open."""
    state = banks.load(flash or Nor())
    state.confirmed = confirmed
    state.ids = list(ids)
    state.floor = floor
    if trial:
        state.begin_trial(1 - confirmed, ids[1 - confirmed])
        state.tries, state.hours, state.open = trial
    state.why = 1
    state.keep()
    return state


def choose(state, a=None, b=None, cause="reset"):
    """(name of the bank, why the selector is as it is)."""
    found = [a or Bank(0), b or Bank(1)]
    bank = bank_choice.choose(found, state, cause, lambda: KEY)
    return (bank.name, state.why) if bank else None


# ---- no selector


def test_a_first_start_wants_somebody_who_vouches():
    def first(a, b):
        return choose(banks.load(Nor()), a, b)

    assert first(Bank(0), Bank(1)) is None
    assert first(Bank(0, marked=True), Bank(1)) == ("A", 0)
    assert first(Bank(0), Bank(1, signed=True)) == ("B", 0)
    assert first(Bank(0, marked=True, version=2), Bank(1, signed=True)) == ("A", 0)
    assert first(Bank(0, marked=True), Bank(1, signed=True, version=2)) == ("B", 0)
    assert first(Bank(0, marked=True), Bank(1, signed=True, version=2, whole=False)) == ("A", 0)
    assert first(Bank(0, marked=True, whole=False), Bank(1)) is None


def test_a_first_start_notes_all_that_is_good():
    state = banks.load(Nor())
    choose(state, Bank(0, marked=True), Bank(1, signed=True, security=1, version=0))
    assert state.ids == list(IDS)
    assert state.floor == 0
    state = banks.load(Nor())
    choose(state, Bank(0, marked=True), Bank(1, version=9))
    assert state.ids == [IDS[0], bytes(8)]


def test_only_a_signature_vouches_for_a_security_counter():
    for signed, floor in ((False, 0), (True, 3)):
        state = banks.load(Nor())
        choose(state, Bank(0, marked=True, signed=signed, security=3))
        assert state.floor == floor


# ---- by cable


def test_a_cable_wins():
    new = Bank(1, marked=True, image=OTHER, version=0)
    state = state_of(floor=7)
    assert choose(state, b=new) == ("B", 0)
    assert (state.confirmed, state.ids[1], state.floor) == (1, OTHER, 7)
    state = state_of(trial=(2, 5, False))
    assert choose(state, a=Bank(0, marked=True, unseen=True)) == ("A", 0)
    assert not state.trial
    both = Bank(0, marked=True, unseen=True, version=2), Bank(1, marked=True, unseen=True)
    assert choose(state_of(confirmed=1), *both) == ("A", 0)


def test_what_was_taken_up_is_no_news():
    state = state_of(confirmed=1)
    assert choose(state, Bank(0, marked=True, version=9)) == ("B", 1)
    assert choose(state, Bank(0, marked=True, unseen=True, whole=False)) == ("B", 1)
    assert choose(state, Bank(0, image=OTHER, version=9)) == ("B", 1), "not marked"


# ---- a trial


def test_a_trial_goes_on_while_it_may():
    assert choose(state_of(trial=(1, 71, False))) == ("B", 1)
    assert choose(state_of(trial=(0, 0, False))) == ("A", 3)
    assert choose(state_of(trial=(1, 72, False))) == ("A", 4)
    assert choose(state_of(trial=(3, 0, False)), b=Bank(1, whole=False)) == ("A", 6)
    assert choose(state_of(trial=(3, 0, False)), b=Bank(1, image=OTHER)) == ("A", 6)
    assert choose(state_of(confirmed=1, trial=(1, 0, False))) == ("A", 1)


def test_a_run_that_did_not_end_spends_a_try():
    for cause, tries in (("power on", 2), ("reset", 1), ("watchdog", 1), ("anything", 1)):
        state = state_of(trial=(2, 0, True))
        assert choose(state, cause=cause) == ("B", 1)
        assert (state.tries, state.open) == (tries, False)
    assert choose(state_of(trial=(1, 0, True))) == ("A", 3)
    state = state_of(trial=(2, 0, False))
    choose(state)
    assert state.tries == 2, "it had ended"


# ---- damage


def test_the_confirmed_bank_is_damaged():
    for wrong in (Bank(0, whole=False), Bank(0, image=OTHER)):
        state = state_of()
        assert choose(state, wrong) == ("B", 7)
        assert state.confirmed == 1
        strange = Bank(1, image=OTHER)
        assert choose(state_of(), wrong, strange) is None
        assert choose(state_of(), wrong, Bank(1, image=OTHER, signed=True)) == ("B", 7)
        assert choose(state_of(), wrong, Bank(1, image=OTHER, marked=True)) == ("B", 0)
        assert choose(state_of(), wrong, Bank(1, whole=False)) is None


def test_nobody_goes_back_below_the_floor():
    damaged = Bank(0, whole=False)
    assert choose(state_of(floor=5), damaged, Bank(1, security=4)) is None
    state = state_of(floor=5)
    assert choose(state, damaged, Bank(1, security=6)) == ("B", 7)
    assert state.floor == 5, "nobody has confirmed it"


def test_a_trial_in_place_of_both():
    """The trial is over, and the bank to return to is damaged: the one that was tried runs."""
    assert choose(state_of(trial=(0, 0, False)), Bank(0, whole=False)) == ("B", 7)


# ---- what is written


class Board:
    reset_cause = "reset"

    def __init__(self, flash):
        self.flash = flash
        self.seen = []

    def update_key(self):
        return KEY

    def bank_flash(self, k):
        return Seen(self.seen, k)


class Seen:
    def __init__(self, seen, k):
        self._seen = seen
        self._k = k

    def program(self, address, buf):
        assert (address, buf) == (4064, bytes(16))
        self._seen.append(self._k)


def test_starts_that_find_nothing_new_write_nothing():
    flash = Nor()
    state_of(flash, trial=(2, 5, False))
    operations = flash.operations
    for _ in range(10):
        assert bank_choice.from_flash(Board(flash), [Bank(0, marked=True), Bank(1)]) == "/bankB"
    assert flash.operations == operations


def test_safe_mode_writes_nothing():
    flash = Nor()
    state_of(flash, trial=(2, 5, True))
    operations = flash.operations
    board = Board(flash)
    damaged = [Bank(k, marked=True, unseen=True, whole=False) for k in (0, 1)]
    assert bank_choice.from_flash(board, damaged) == ""
    assert flash.operations == operations and not board.seen


def test_what_a_cable_put_there_is_marked_as_seen():
    board = Board(Nor())
    found = [Bank(0, marked=True, unseen=True), Bank(1, marked=True, unseen=True, whole=False)]
    assert bank_choice.from_flash(board, found) == "/bankA"
    assert board.seen == [0]


def test_a_board_that_cannot_write_banks():
    board = Board(Nor())
    board.bank_flash = lambda _: None
    for _ in range(2):
        found = [Bank(0, marked=True, unseen=True), Bank(1)]
        assert bank_choice.from_flash(board, found) == "/bankA"
    assert board.flash.operations == 2


def test_a_selector_that_cannot_be_written():
    board = Board(Nor())
    board.flash.dead = (28, 29)
    assert bank_choice.from_flash(board, [Bank(0, marked=True), Bank(1)]) == "/bankA"


def test_power_goes_while_a_start_writes():
    """The same bank runs at the next start, and no try is spent twice for one run."""
    cuts = 0
    for trial, runs in (((2, 0, True), "/bankB"), ((1, 0, True), "/bankA")):
        flash = Nor()
        state_of(flash, trial=trial)
        for way in WAYS:
            for operation in (0, 1):
                torn = Nor(flash.data)
                assert cut(torn, operation, way, lambda: start(torn))  # noqa: B023
                assert start(torn) == runs
                state = banks.load(torn)
                assert not state.open
                assert state.tries == (1 if state.trial else 0)
                cuts += 1
            assert not cut(Nor(flash.data), 2, way, lambda: start(Nor(flash.data)))  # noqa: B023
    print("start:", cuts, "cuts")


def start(flash):
    return bank_choice.from_flash(Board(flash), [Bank(0), Bank(1)])

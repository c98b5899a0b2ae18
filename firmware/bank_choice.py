"""The choice at a start: finds the code bank that is to run, and puts it on the path.

Imports of ours `board` and what is frozen beside it. Runs at every soft reset too, so it writes
only what has changed, and nothing at all in safe mode: there is no bank then, and main.py runs
nothing. It formats nothing. What is wrong is said in one line on the REPL.

In this order: a bank that a cable put there; the one on trial; the confirmed one; the other.
"""

import hashlib
import sys

from micropython import const

import banks
from banks import MARK, MARK_AT, SECTOR

# What every board.py has: see boards/unix/board.md.
_BOARD = const(
    "NAME INSECURE OPEN_NM RANDOM_SOURCE aes bank bank_flash console element flash "
    "installation_key plc random reset reset_cause settings ticks_ms ticks_us update_key watchdog"
)

# Whoever writes a bank by cable leaves the mark, and FF before it, which goes when the bank was
# taken up: the same image put there once more is noticed.
_SEEN_AT = const(4064)
_UNSEEN = b"\xff" * 16

_OVER = {
    banks.USED_UP: "its tries are used up",
    banks.TOO_LONG: "not confirmed in 72 hours",
    banks.TRIAL_DAMAGED: "it is damaged",
}


def start():
    """Puts the chosen bank first on the path: one in flash, or else one in a folder."""
    path = ""
    board = the_board()
    if board:
        family = board.NAME.encode()
        contents = board.bank(0), board.bank(1)
        if contents[0]:
            path = from_flash(board, [Bank(k, contents[k], family) for k in (0, 1)])
        if not path:
            import bank_folders

            path = bank_folders.choose(family)
    if path:
        sys.path.insert(0, path)
    else:
        print("boot: no code bank to run, safe mode")
    for name in ("bank_choice", "bank_folders", "banks", "signature"):
        sys.modules.pop(name, None)  # the heap is the application's


def the_board():
    """The board module, or None after saying what is wrong with it."""
    try:
        import board
    except Exception as error:
        if isinstance(error, ImportError) and str(error) == "no module named 'board'":
            print("boot: there is no board.py on this device")
        else:
            print("boot: board.py does not fit this device:", repr(error))
        return None
    missing = [name for name in _BOARD.split() if not hasattr(board, name)]
    if missing:
        print("boot: board.py is not complete, it lacks", ", ".join(missing))
        return None
    return board


class Bank:
    """A bank in flash, mounted where it lies."""

    def __init__(self, k: int, content, family: bytes):
        self.k = k
        self.name = "AB"[k]
        self.id = banks.identity(content[: banks.HEADER])
        fields = banks.header(content)
        self._length, self.version, self.security = fields[:3] if fields else (0, 0, 0)
        self._content = content
        self._family = family
        self._fault = None  # nobody has looked yet
        self._rom = None  # its file system

    @property
    def is_marked(self) -> bool:
        """Whether a cable wrote it."""
        return bytes(self._content[MARK_AT:SECTOR]) == MARK

    @property
    def is_unseen(self) -> bool:
        """Whether it was not taken up since."""
        return bytes(self._content[_SEEN_AT:MARK_AT]) == _UNSEEN

    def is_whole(self) -> bool:
        """Whether it can run here. Says why not, once."""
        if self._fault is None:
            self._fault = banks.fault(self._content, self._family, self._digest) or self._files()
            if self._fault and self._fault != banks.EMPTY:
                print("boot: bank", self.name, self._fault)
        return not self._fault

    def is_signed(self, key) -> bool:
        """key: 60 octets, or None."""
        if not key:
            return False
        import signature

        head = bytes(self._content[: banks.HEADER])
        end = banks.HEADER + signature.size(key)
        return signature.check(key, head, memoryview(self._content)[banks.HEADER : end])

    def open(self) -> str:
        """Makes its modules available. Returns where. Not before it was found whole."""
        import vfs

        where = "/bank" + self.name
        vfs.mount(self._rom, where)
        return where

    def _files(self) -> str:
        """Why nothing of it can be mounted, whoever may have signed it; empty: it can."""
        import vfs

        try:
            image = memoryview(self._content)[SECTOR : SECTOR + self._length]
            self._rom = vfs.VfsRom(image)
        except OSError:
            return "holds no files"
        return ""

    def _digest(self, length: int) -> bytes:
        return hashlib.sha256(memoryview(self._content)[SECTOR : SECTOR + length]).digest()


def from_flash(board, found) -> str:
    """Chooses out of both banks, keeps what has changed. Returns where the modules are; empty:
    no bank can run."""
    state = banks.load(board.flash)
    bank = choose(found, state, board.reset_cause, board.update_key)
    if bank is None:
        return ""
    try:
        state.keep()
        for one in found:
            flash = board.bank_flash(one.k) if one.is_marked and one.is_unseen else None
            if flash and one.is_whole():
                flash.program(_SEEN_AT, bytes(16))
    except OSError as error:
        print("boot: the selector cannot be written:", repr(error))
    return bank.open()


def choose(found, state, reset_cause: str, update_key):
    """The bank to run, of both; None: there is none. Changes `state`, which is to be kept then.

    update_key: function() -> 60 octets or None; asked only where a signature is looked at.
    """
    if state.open:
        state.open = False
        if reset_cause != "power on":  # nobody's fault
            state.tries -= 1
    return (
        by_cable(found, state, update_key)
        or on_trial(found, state)
        or kept(found, state, update_key)
    )


def by_cable(found, state, update_key):
    """The bank that was put there by cable since the last start, which is then the confirmed one;
    of two that of the higher version. Without a selector: of those that anybody vouches for."""
    if state.number:
        new = [bank for bank in found if bank.is_marked and differs(bank, state)]
        new = [bank for bank in new if bank.is_whole()]
    else:
        new = [bank for bank in found if bank.is_whole()]
        new = [bank for bank in new if vouched_for(bank, update_key)]
    if not new:
        return None
    chosen = max(new, key=lambda bank: bank.version)
    for bank in new:
        state.ids[bank.k] = bank.id
    state.set_confirmed(chosen.k, banks.BY_CABLE)
    if chosen.is_signed(update_key()):  # else a flipped bit could raise it beyond every image
        state.floor = max(state.floor, chosen.security)
    return chosen


def differs(bank, state) -> bool:
    """Whether a bank is not the one that was taken up."""
    return bank.is_unseen or bank.id != state.ids[bank.k]


def vouched_for(bank, update_key) -> bool:
    """Whether a bank that is not known may run. Says so if not."""
    if bank.is_marked or bank.is_signed(update_key()):
        return True
    print("boot: bank", bank.name, "is not signed, and no cable put it there")
    return False


def on_trial(found, state):
    """The bank on trial; None: there is no trial, or no longer."""
    if not state.trial:
        return None
    bank = found[1 - state.confirmed]
    why = 0
    if state.tries <= 0:
        why = banks.USED_UP
    elif state.hours >= banks.HOURS:
        why = banks.TOO_LONG
    elif bank.id != state.ids[bank.k] or not bank.is_whole():
        why = banks.TRIAL_DAMAGED
    if not why:
        return bank
    print("boot: the trial of bank", bank.name, "is over:", _OVER[why])
    state.set_confirmed(state.confirmed, why)
    return None


def kept(found, state, update_key):
    """The confirmed bank, or else the other if it was good before or anybody vouches for it."""
    bank = found[state.confirmed]
    if bank.id == state.ids[bank.k] and bank.is_whole():
        return bank
    bank = found[1 - state.confirmed]
    if not bank.is_whole() or bank.security < state.floor:
        return None
    if bank.id != state.ids[bank.k] and not vouched_for(bank, update_key):
        return None
    print("boot: bank", bank.name, "is taken in place of the other")
    state.ids[bank.k] = bank.id
    state.set_confirmed(bank.k, banks.CONFIRMED_DAMAGED)
    return bank

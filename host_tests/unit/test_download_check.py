"""EP10 that names the other bank: what may run is tried, and what may not never is."""

import banks
import signature
from download_support import (
    ACCEPTED,
    BAD_PARAMETER,
    BT08,
    CONFLICT,
    DONE,
    EP08,
    EP09,
    EP10,
    KEY,
    NEW,
    OLD,
    TIMING,
    Target,
    header,
    identity,
    image,
    packet,
)
from support import noise

ROMFS = bytes(noise(9001, 6))
VERIFYING, VERIFIED, FAILED = 4, 5, 7


def complete(bank=NEW, **more):
    target = Target(**more)
    target.erase(bank)
    target.send(bank)
    target.work_through()
    return target


def refused(bank, error, named=None, events=(), change=None):
    target = complete(bank)
    if change:
        change(target)
    target.events.take()
    assert target.verify(1, bank if named is None else named) == CONFLICT
    assert (target.status["state"], target.status["error"]) == (FAILED, error)
    assert target.events.take() == list(events)
    assert not target.selector().trial and target.restarts == 0
    target.pass_ms(70000)
    assert target.restarts == 0
    return target


def test_the_key_of_these_tests_is_one():
    assert signature.check(KEY, NEW[:76], NEW[76 : 76 + signature.size(KEY)])


def test_verified_and_told_and_restarted():
    target = complete()
    assert target.ask(EP10, b"\1" + identity(NEW)) == ACCEPTED
    assert target.status["state"] == VERIFYING
    target.work_through()
    assert target.status["state"] == VERIFIED
    state = target.selector()
    assert (state.trial, state.confirmed, state.tries, state.why) == (True, 0, 3, 1)
    assert state.ids == [identity(OLD), identity(NEW)]
    target.pass_ms(50000)
    assert target.restarts == 0
    assert target.read(BT08, 0, 4) == b"\x0a\x08" + bytes((target.psn, DONE))
    target.pass_ms(3900)
    assert target.restarts == 0
    target.pass_ms(2100)
    assert target.restarts


def test_nobody_reads_the_result():
    target = complete()
    target.ask(EP10, b"\1" + identity(NEW))
    target.work_through()
    # `ask` has read BT08 before there was a restart to come
    target.pass_ms(58000)
    assert target.restarts == 0
    target.pass_ms(3000)
    assert target.restarts


def test_a_result_that_is_read_late():
    target = complete()
    target.ask(EP10, b"\1" + identity(NEW))
    target.work_through()
    target.pass_ms(58500)
    assert target.result == DONE and target.restarts == 0
    target.pass_ms(2500)
    assert target.restarts, "60 s after it was verified"


def test_nothing_while_a_restart_is_to_come():
    target = complete()
    assert target.verify(1, NEW) == DONE
    assert target.ask(EP08, len(NEW).to_bytes(4, "little")) == CONFLICT
    assert target.ask(EP10, b"\1" + identity(NEW)) == CONFLICT
    assert target.ask(EP09, packet(NEW, 0)) == DONE, "it is there"
    target.turns(50)
    assert target.other.data[: len(NEW)] == NEW and target.selector().trial


def test_before_it_is_complete():
    target = Target()
    assert target.verify(1, NEW) == TIMING, "an empty bank"
    target.ask(EP08, len(NEW).to_bytes(4, "little"))
    assert target.verify(1, NEW) == TIMING
    target.work_through()
    target.send(numbers=range(1, 234))
    assert target.verify(1, NEW) == TIMING and target.status["state"] == 2
    target.send(numbers=[0])
    assert target.verify(1, NEW) == DONE


def test_which_bank():
    target = complete()
    assert target.verify(2, NEW) == BAD_PARAMETER
    assert target.verify(0, NEW) == BAD_PARAMETER, "the running bank has another image"
    assert target.verify(0, OLD) == DONE, "it is confirmed"
    assert not target.selector().trial


def test_no_header():
    refused(bytes(noise(9000, 3)), 1)


def test_another_board():
    refused(image(ROMFS, family="other"), 2)
    target = complete(image(ROMFS, family="any"))
    assert target.verify(1, image(ROMFS, family="any")) == DONE


def test_other_bytecode():
    refused(image(ROMFS, mpy=3), 3)


def test_lengths():
    for length in (0, 9000, 9002, 188097, 0x7FFFFFFF):
        refused(image(ROMFS, length=length), 4)
    refused(NEW + bytes(60), 4)


def test_damaged():
    damaged = bytearray(NEW)
    damaged[8000] ^= 1
    refused(bytes(damaged), 5, NEW, [(77, 1)])
    refused(image(ROMFS, digest=bytes(32)), 5, None, [(77, 1)])


def test_damaged_in_flash():
    def flip(target):
        target.other.data[12345] ^= 0x80

    refused(NEW, 5, change=flip, events=[(77, 1)])


def test_cut_short():
    """All packets of a shorter image are there, and its header tells of more."""
    refused(NEW[:9000], 4)


def test_not_signed():
    refused(image(ROMFS, signed=False), 6)


def test_a_wrong_signature():
    for place in (76, 80, 84, 88, 400, 2260, 2264, 2423):
        bank = bytearray(NEW)
        bank[place] ^= 1
        refused(bytes(bank), 7)


def test_signed_for_another_image():
    """The signature of one image on the header of another: a replay with a newer version."""
    head = header(ROMFS, version=9)
    refused(head + NEW[76:], 7)


def test_another_key():
    def change(target):
        target.board.key = KEY[:-1] + bytes((KEY[-1] ^ 1,))

    refused(NEW, 7, change=change)


def test_no_key_any_more():
    for key in (None, b"", KEY[:59], bytes(60)):

        def change(target, key=key):
            target.board.key = key

        refused(NEW, 10, change=change)


def test_the_floor():
    """Of equal counters the version may fall; a counter may not."""

    def raise_floor(target):
        state = target.selector()
        state.floor = 5
        state.keep()

    refused(image(ROMFS, security=4, version=99), 8, change=raise_floor)
    bank = image(ROMFS, security=5, version=0)
    target = complete(bank)
    raise_floor(target)
    assert target.verify(1, bank) == DONE


def test_not_the_one_that_was_named():
    target = refused(NEW, 15, named=OLD)
    # it lies there still, and whoever names it gets it
    assert target.verify(1, NEW) == DONE and target.status["error"] == 0


def test_a_bank_that_came_by_no_download():
    target = Target()
    target.put(1, NEW)
    assert target.verify(1, NEW) == DONE
    assert target.selector().trial and target.status["length"] == 0


def test_a_bank_that_came_by_cable_needs_no_signature():
    """Nor does the way back to it. No packet can write the mark."""
    bank = image(ROMFS, signed=False)
    marked = bank[: banks.MARK_AT] + banks.MARK + bank[4096:]
    target = Target()
    target.put(1, marked)
    assert target.verify(1, bank) == DONE
    assert target.selector().trial
    refused(marked, 6)


def test_a_download_anew_while_it_verifies():
    target = complete()
    target.ask(EP10, b"\1" + identity(NEW))
    target.turns(3)
    assert target.ask(EP08, len(NEW).to_bytes(4, "little")) == ACCEPTED
    target.work_through()
    assert target.result == DONE and target.status["state"] == 2
    assert not target.selector().trial and target.restarts == 0


def test_flash_fails_as_the_trial_begins():
    target = complete()
    target.ask(EP10, b"\1" + identity(NEW))
    target.flash.fails = True
    target.work_through()
    target.flash.fails = False
    assert target.result == CONFLICT and target.status["error"] == 9
    assert not target.selector().trial
    assert target.verify(1, NEW) == DONE


def test_settings_fail_as_the_trial_begins():
    target = complete()
    target.ask(EP10, b"\1" + identity(NEW))
    target.settings.fails = True
    target.work_through()
    target.settings.fails = False
    assert target.selector().trial and target.status["state"] == VERIFIED
    assert target.result == ACCEPTED and target.events.lost == 1
    target.pass_ms(61000)
    assert target.restarts


def test_power_goes_while_it_verifies():
    target = complete()
    target.ask(EP10, b"\1" + identity(NEW))
    target.turns(5)
    target.start()
    target.work_through()
    assert target.status["state"] == 3 and not target.selector().trial
    assert target.verify(1, NEW) == DONE


def test_slices():
    """It yields often: each slice reads 4 kB or follows some chains."""
    target = complete()
    target.ask(EP10, b"\1" + identity(NEW))
    turns = 0
    while target.result == ACCEPTED:
        target.scheduler.turn()
        turns += 1
    assert turns >= 3 + 16

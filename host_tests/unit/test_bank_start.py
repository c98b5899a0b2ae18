"""What a start tells of the banks: each change once, and never of what only goes on."""

import sys

from download_support import NEW, OLD, Target, identity
from osgp import bank_start


def began(target):
    state = target.selector()
    state.begin_trial(1, identity(NEW))
    return state


def started(target, active):
    target.active = active
    target.start()
    return target.events.take()


def test_a_first_start_tells_nothing():
    target = Target()
    assert target.events.take() == [] and not target.begun
    assert started(target, 0) == [] and target.last_error == 0


def test_what_is_told_of_an_end():
    for why, events, error in (
        (3, [(78, 0)], 11),
        (4, [(78, 0)], 12),
        (5, [(78, 0)], 14),
        (6, [(77, 1), (78, 0)], 13),
    ):
        target = Target()
        target.put(1, NEW)
        state = began(target)
        assert started(target, 1) == [(78, 1)]
        state = target.selector()
        state.end_trial(why)
        assert started(target, 0) == events
        assert target.last_error == error and target.status["state"] == 7
        assert started(target, 0) == []


def test_the_confirmed_bank_was_damaged():
    target = Target()
    state = target.selector()
    state.set_confirmed(1, 7)
    state.keep()
    assert started(target, 1) == [(77, 0), (78, 1)]
    assert target.last_error == 16 and target.trial is None


def test_by_cable():
    target = Target()
    state = target.selector()
    state.ids[1] = identity(NEW)
    state.set_confirmed(1, 0)
    state.keep()
    assert started(target, 1) == [] and target.last_error == 0


def test_runs_and_hours_are_not_told():
    target = Target()
    target.put(1, NEW)
    began(target)
    assert started(target, 1) == [(78, 1)] and target.begun
    for change in ("open_run", "hour", "close_run", "open_run"):
        getattr(target.selector(), change)()
        assert started(target, 1) == [] and not target.begun
        assert target.trial


def test_the_same_image_tried_again():
    target = Target()
    target.put(1, NEW)
    for _ in range(2):
        began(target)
        assert started(target, 1) == [(78, 1)]
        target.selector().end_trial(3)
        assert started(target, 0) == [(78, 0)]


def test_settings_fail():
    """Then it is told once more, which is better than not at all."""
    target = Target()
    target.put(1, NEW)
    began(target)
    target.settings.fails = True
    assert started(target, 1) == [(78, 1)] and target.events.lost == 1
    target.settings.fails = False
    assert started(target, 1) == [(78, 1)]
    assert started(target, 1) == []


def test_no_bank_in_flash():
    """A MicroPython with its banks in folders has no selector."""
    target = Target()
    operations = target.flash.operations
    reads = []
    target.flash.read = lambda address, buf: reads.append(address)
    target.active = 0
    sys.path.remove("/bankA")
    assert not bank_start.run(target)
    assert reads == [] and target.flash.operations == operations
    assert target.ask(2056, len(OLD).to_bytes(4, "little")) == 3
    assert target.ask(2058, b"\0" + identity(OLD)) == 3
    assert target.status["state"] == 0

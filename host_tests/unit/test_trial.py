"""A bank on trial: it is confirmed by whom it answers, and returns by itself otherwise."""

import ticks
from download_support import (
    BAD_PARAMETER,
    BT08,
    CONFLICT,
    DONE,
    EP08,
    EP09,
    NEW,
    OLD,
    TIMING,
    Target,
    identity,
    image,
    packet,
)
from support import noise

TRIAL = 6
TEN_MINUTES = 600000
HOUR = 3600000


class Slow(Target):
    """Time passes by seconds."""

    def pass_seconds(self, n):
        for _ in range(n):
            self.now = ticks.add(self.now, 1000)
            for slot in self.scheduler.slots:
                slot.beat = self.now
            if self.trial:
                self.trial.poll(self.now)


def on_trial(bank=NEW):
    """The first start of a trial of bank B, whose run is open."""
    target = Slow()
    target.put(1, bank)
    state = target.selector()
    state.begin_trial(1, identity(bank))
    state.open_run()
    target.active = 1
    target.start()
    return target


def test_it_is_told():
    target = on_trial()
    assert target.begun and target.trial
    assert target.events.take() == [(78, 1)]
    assert target.status["state"] == TRIAL and target.status["bank"] == 1
    assert (target.status["version"], target.status["security"]) == (2, 1)
    target.start()
    assert target.trial and not target.begun and target.events.take() == []


def test_nothing_is_downloaded():
    """The other bank is the only way back."""
    target = on_trial()
    assert target.ask(EP08, len(NEW).to_bytes(4, "little")) == CONFLICT
    assert target.ask(EP09, packet(NEW, 0)) == CONFLICT
    assert target.download is None
    assert target.other.data[: len(OLD)] == OLD and target.other.operations == 0


def test_confirmed():
    target = on_trial()
    target.events.take()
    assert target.verify(1, NEW) == TIMING
    target.pass_seconds(599)
    assert target.verify(1, NEW) == TIMING
    target.pass_seconds(2)
    assert target.verify(1, OLD) == BAD_PARAMETER
    assert target.verify(1, NEW) == DONE
    state = target.selector()
    assert (state.confirmed, state.trial, state.why, state.floor) == (1, False, 2, 1)
    assert target.trial is None and target.events.take() == [(78, 1)]
    assert target.status["state"] == 0
    assert target.verify(1, NEW) == DONE, "once more"
    assert not [slot for slot in target.scheduler.slots if type(slot.part).__name__ == "Trial"]
    target.start()
    assert target.events.take() == [] and target.trial is None
    target.erase()
    assert target.board.contents[0].erased[:2] == [47, 0], "now the old one may go"


def test_the_floor_rises():
    bank = image(bytes(noise(3000, 5)), security=7)
    target = on_trial(bank)
    assert target.selector().floor == 0
    target.pass_seconds(601)
    assert target.verify(1, bank) == DONE
    assert target.selector().floor == 7


def test_a_heartbeat_that_is_late():
    target = on_trial()
    target.pass_seconds(500)
    target.scheduler.slots[-1].beat = ticks.add(target.now, -3100)
    target.trial.poll(target.now)
    target.pass_seconds(599)
    assert target.verify(1, NEW) == TIMING
    target.pass_seconds(2)
    assert target.verify(1, NEW) == DONE


def test_given_back():
    target = on_trial()
    target.events.take()
    assert target.verify(0, NEW) == CONFLICT, "not what is there"
    assert target.verify(0, OLD) == DONE
    state = target.selector()
    assert (state.confirmed, state.trial, state.why) == (0, False, 5)
    assert target.ask(EP08, len(NEW).to_bytes(4, "little")) == CONFLICT
    assert target.verify(1, NEW) == CONFLICT, "it is too late to confirm"
    assert target.verify(0, OLD) == DONE
    target.pass_seconds(601)
    assert target.verify(1, NEW) == CONFLICT
    target.read(BT08, 0, 16)
    target.pass_ms(6000)
    assert target.restarts
    target.active = 0
    target.start()
    assert target.events.take() == [(78, 0)]
    assert target.trial is None and target.download is None
    assert (target.status["state"], target.status["error"]) == (7, 14)
    target.start()
    assert target.events.take() == [] and target.status["error"] == 14


def test_hours():
    target = on_trial()
    flash = target.flash
    operations = flash.operations
    target.pass_seconds(3599)
    assert flash.operations == operations
    target.pass_seconds(2)
    assert target.selector().hours == 1 and flash.operations == operations + 2


def test_an_hour_waits_for_quiet():
    target = on_trial()
    target.now = ticks.add(target.now, HOUR)
    target.gate.activity(target.now)
    target.trial.poll(target.now)
    assert target.selector().hours == 0
    target.now = ticks.add(target.now, 2000)
    target.gate.activity(target.now)
    target.trial.poll(target.now)
    assert target.selector().hours == 1


def test_never_confirmed():
    target = on_trial()
    for hour in range(72):
        assert target.restarts == 0, hour
        target.now = ticks.add(target.now, HOUR)
        target.trial.poll(target.now)
    state = target.selector()
    assert target.restarts and (state.trial, state.why, state.confirmed) == (False, 4, 0)
    assert target.verify(1, NEW) == CONFLICT
    target.active = 0
    target.start()
    assert (target.status["state"], target.status["error"]) == (7, 12)


def test_hours_go_on_after_a_start():
    target = on_trial()
    for _ in range(3):
        target.now = ticks.add(target.now, HOUR)
        target.trial.poll(target.now)
        target.start()
    assert target.trial.state.hours == 3


def test_flash_fails():
    target = on_trial()
    target.pass_seconds(601)
    target.flash.fails = True
    assert target.verify(1, NEW) == CONFLICT
    assert target.verify(0, OLD) == CONFLICT and target.restarts == 0
    target.now = ticks.add(target.now, HOUR)
    target.trial.poll(target.now)
    assert target.events.lost == 1
    target.flash.fails = False
    assert target.trial and target.status["state"] == TRIAL

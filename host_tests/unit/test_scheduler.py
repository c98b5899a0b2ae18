"""The scheduler in a time of its own: what is due is served in order, and the dog eats last."""

import ticks
from fakes import retained
from scheduler import Scheduler
from support import MICROPYTHON

NEAR_THE_WRAP = 2**30 - 500


class Poll:
    """In the place of select.poll: the clock goes on by what was waited; input comes when told."""

    def __init__(self, bench):
        self._bench = bench
        self.waits = []
        self.input = []  # (after ms, uart)

    def register(self, uart, mask):
        pass

    def ipoll(self, timeout):
        self.waits.append(timeout)
        if self.input and self.input[0][0] <= timeout:
            after, uart = self.input.pop(0)
            self._bench.pass_ms(after)
            return [(uart, 1)]
        self._bench.pass_ms(timeout)
        return []


class Part:
    """Wants to be polled every `period` ms and takes `slice_us`."""

    def __init__(self, bench, name, period, slice_us=0):
        self.bench = bench
        self.name = name
        self.period = period
        self.slice_us = slice_us
        self.flash_us = 0

    def poll(self, now):
        assert now == self.bench.now
        self.bench.note(self.name, self.slice_us)
        self.bench.spent += self.flash_us
        return ticks.add(now, self.period)

    def readable(self, now):
        assert now == self.bench.now
        self.bench.note(self.name + " readable", self.slice_us)


class Bench:
    """A scheduler, its clock, its watchdog and its gate."""

    def __init__(self, now=1000):
        self.now = now
        self.us = now
        self.start = now
        self.log = []
        self.gate_open = False
        self.spent = 0  # on flash
        self.scheduler = Scheduler(lambda: self.now, lambda: self.us, self, self, self)
        self.poll = self.scheduler._poll = Poll(self)

    def pass_ms(self, ms):
        self.now = ticks.add(self.now, ms)

    def note(self, name, us=0):
        self.log.append((ticks.diff(self.now, self.start), name))
        self.us = ticks.add(self.us, us)

    def feed(self):
        self.note("fed")

    def open(self, now):
        assert now == self.now
        return self.gate_open

    def add(self, name, period, slice_us=0, uart=None):
        part = Part(self, name, period, slice_us)
        self.scheduler.add(part, uart)
        return part

    def turns(self, n):
        """What happened in the next n turns."""
        self.log = []
        for _ in range(n):
            self.scheduler.turn()
        return self.log


def test_what_is_due_is_served_in_order_and_then_the_dog():
    for now in (1000, NEAR_THE_WRAP):
        bench = Bench(now)
        bench.add("slow", 300)
        bench.add("fast", 200)
        assert bench.turns(4) == [
            (0, "slow"),
            (0, "fast"),
            (0, "fed"),
            (200, "fast"),
            (200, "fed"),
            (300, "slow"),
            (300, "fed"),
            (400, "fast"),
            (400, "fed"),
        ]
        assert bench.poll.waits == [0, 200, 100, 100]


def test_all_that_is_due_at_once_goes_in_the_order_of_adding():
    bench = Bench()
    for name in ("first", "second", "third"):
        bench.add(name, 100)
    for at in (0, 100):
        assert bench.turns(1) == [(at, "first"), (at, "second"), (at, "third"), (at, "fed")]


def test_a_due_time_that_has_passed_is_not_waited_for():
    bench = Bench()
    bench.add("late", 100)
    bench.turns(1)
    bench.pass_ms(250)
    assert bench.turns(1) == [(250, "late"), (250, "fed")]
    assert bench.poll.waits == [0, 0]


def test_every_part_is_polled_once_a_second():
    bench = Bench()
    bench.add("asleep", ticks.FAR)
    bench.add("awake", 999)
    log = bench.turns(8)
    for name, period in (("asleep", 1000), ("awake", 999)):
        times = [at for at, what in log if what == name]
        assert times[:4] == [k * period for k in range(4)]
    assert max(bench.poll.waits) <= 1000


def test_with_no_part_it_waits_a_second():
    bench = Bench()
    assert bench.turns(2) == [(1000, "fed"), (2000, "fed")]


def test_heartbeats():
    bench = Bench()
    bench.add("part", 400)
    bench.turns(3)
    slot = bench.scheduler.slots[0]
    assert (slot.beat, slot.due, slot.polls) == (1800, 2200, 3)


def test_input_goes_to_whose_uart_it_is_and_then_it_is_polled():
    bench = Bench()
    first, second = object(), object()
    bench.add("first", 1000, uart=first)
    bench.add("second", 1000, uart=second)
    bench.add("third", 1000)
    bench.turns(1)
    bench.poll.input.append((30, second))
    assert bench.turns(1) == [(30, "second readable"), (30, "second"), (30, "fed")]
    assert bench.turns(1)[0] == (1000, "first")


def test_the_longest_slice():
    bench = Bench()
    uart = object()
    part = bench.add("part", 100, slice_us=700, uart=uart)
    bench.add("other", 100, slice_us=50)
    bench.turns(1)
    part.slice_us = 900
    bench.poll.input.append((10, uart))
    bench.turns(1)
    part.slice_us = 20
    bench.turns(3)
    assert [slot.longest for slot in bench.scheduler.slots] == [900, 50]


def test_flash_is_not_the_slice():
    bench = Bench()
    part = bench.add("part", 100, slice_us=700)
    part.flash_us = 600
    bench.turns(1)
    assert bench.scheduler.slots[0].longest == 100


def test_a_part_that_raises_starves_the_dog():
    bench = Bench()
    bench.add("good", 100)
    bad = bench.add("bad", 100)

    def poll(now):
        raise ValueError

    bad.poll = poll
    try:
        bench.turns(1)
        raise AssertionError("the part's exception was swallowed")
    except ValueError:
        pass
    assert bench.log == [(0, "good")]


def test_collection_waits_for_the_gate():
    bench = Bench()
    bench.add("part", 250)
    bench.turns(10)
    assert bench.scheduler.collections == 0
    bench.gate_open = True
    bench.turns(1)
    assert bench.scheduler.collections == 1
    bench.turns(3)
    assert bench.scheduler.collections == 1  # once a second
    bench.turns(1)
    assert bench.scheduler.collections == 2


def test_run_until_it_is_stopped():
    bench = Bench()
    part = bench.add("part", 100)

    def poll(now):
        bench.scheduler.running = bench.note(part.name) or len(bench.log) < 5
        return ticks.add(now, 100)

    part.poll = poll
    bench.scheduler.run()
    assert bench.log[-2:] == [(200, "part"), (200, "fed")]


class Dog:
    spent = 0

    """Watchdog, gate and parts of a turn that has nothing to do with the test's own lists."""

    def feed(self):
        pass

    def open(self, now):
        return False

    def poll(self, now):
        return now


def test_a_turn_leaves_nothing_on_the_heap():
    if not MICROPYTHON:
        return  # CPython's poll object has no ipoll
    dog = Dog()
    scheduler = Scheduler(lambda: 5000, lambda: 5000, dog, dog, dog)
    scheduler.add(dog)
    scheduler.add(dog)
    assert retained(scheduler.turn) == 0

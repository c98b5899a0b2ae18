"""Lives of load profiles, by hypothesis, against plain lists.

Any shapes, any passing of time, a clock set forward and back, power that fails in the middle of
any flash operation, restarts, resets, blocks that were read: what a reader finds in BT63 to BT67
is what the lists say.
"""

import struct
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tables.basic.profile import layout_for
from tables.layout import get

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from meter_support import PowerCut
from profile_support import DAY, World, interval

CLOCK_BACK_LONG, FORWARD, SKIPPED = 0x83, 0x40, 4

TIMES = st.sampled_from([1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60, 84])
SHAPES = st.tuples(
    st.integers(1, 12),
    st.integers(1, 40),
    TIMES,
    st.lists(st.integers(0, 28), min_size=1, max_size=16),
    st.integers(0, 1439),
)
ACTIONS = st.one_of(
    st.tuples(st.just("go"), st.integers(1, 100_000)),
    st.tuples(st.just("go"), st.integers(1, 4000)),
    st.tuples(st.just("forward"), st.integers(1, 90_000)),
    st.tuples(st.just("back"), st.integers(1, 90_000)),
    st.tuples(st.just("start"), st.just(0)),
    st.tuples(st.just("cut"), st.integers(0, 30)),
    st.tuples(st.just("read"), st.integers(0, 6)),
    st.tuples(st.just("reset"), st.integers(0, 3)),
    st.tuples(st.just("configure"), st.tuples(st.integers(0, 3), SHAPES)),
)


class Set:
    """A data set as lists: the blocks of a shape, each {interval number: (status, values)}."""

    def __init__(self, blocks, intervals, time, sources, start):
        self.shape = (blocks, intervals, len(sources), time)
        self.sources, self.start = sources, start
        self.minutes = 1440 if time == 84 else time
        self.blocks = []
        self.read = 0
        self.anew = False

    @property
    def newest(self):
        return max(self.blocks[-1]) if self.blocks else -1

    def number(self, moment):
        """Of the interval that is open at a moment (s)."""
        return (moment // 60 - self.start) // self.minutes

    def end(self, moment, status, more):
        number = self.number(moment) - 1
        if number <= self.newest and not self.anew:
            return False
        if self.anew or number != self.newest + 1 or number % self.shape[1] == 0:
            self.blocks.append({})
        self.anew = False
        self.blocks[-1][number] = (status, [1000 * source + more for source in self.sources])
        return True

    def body(self):
        """The table: a list of (end, intervals, {interval: octets})."""
        blocks, intervals, _, _ = self.shape
        found = [((0, 0, 0, 0, 0), (), {})] * blocks
        for sequence in range(max(0, len(self.blocks) - blocks), len(self.blocks)):
            block = self.blocks[sequence]
            minute = (max(block) + 1) * self.minutes + self.start
            day = struct.pack("<i", minute // 1440)
            there = {n % intervals: interval(*block[n]) for n in block}
            found[sequence % blocks] = (
                (int.from_bytes(day, "little"), minute % 1440),
                tuple(sorted(there)),
                there,
            )
        return found

    def status(self):
        """BT63 without its flags but overflow."""
        blocks = self.shape[0]
        count = len(self.blocks)
        if not count:
            return False, 0, 0, 0, 0, 0
        unread = count - self.read
        sequence = count - 1
        valid = len(self.blocks[-1])
        return (
            unread > blocks,
            min(count, blocks),
            sequence % blocks,
            sequence,
            min(unread, blocks),
            valid,
        )


class Life:
    """The firmware's profiles and the lists, side by side."""

    def __init__(self):
        self.world = World()
        self.sets = [Set(10, 96, 15, (0, 1), 0), None, None, None]
        self.status = [0] * 4
        self.missing = (0, 0)  # up to this moment, with these flags
        self.world.clock("until", DAY, 0)

    @property
    def moment(self):
        registers = self.world.registers
        return registers.day * 86400 + registers.second

    def go(self, seconds):
        """The firmware second by second would take long: it plans its steps itself."""
        end = self.moment + seconds
        more = self.world.more
        start = self.moment
        starts = []
        while True:
            try:
                self.world.go(end - self.moment)
                break
            except PowerCut:
                # the snapshot holds this moment, with the interval's status; then the record
                starts.append(self.restart())
        for moment in range(start - start % 60 + 60, end + 1, 60):
            for cut, waiting in starts:
                if cut == moment:
                    self._forget(cut, waiting)
            for k, one in enumerate(self.sets):
                if one and (moment // 60 - one.start) % one.minutes == 0:
                    if one.end(moment, self.status[k], more + moment - start):
                        self.status[k] = 0
                    self._mark(k, moment)
            if moment in [cut for cut, _ in starts]:
                self._mark_all(moment)

    def _mark(self, k, moment):
        until, flags = self.missing
        one = self.sets[k]
        length = 60 * one.minutes
        inside = (moment - 60 * one.start) % length
        missing = until - moment + inside
        if missing > 0 and flags:
            whole = missing >= length and (not inside or self.status[k] & 0x0F == SKIPPED)
            code = SKIPPED if whole else 2
            self.status[k] = self.status[k] & 0xF0 | flags | code

    def restart(self):
        """Power comes back at the moment of the newest snapshot, which is this one.

        Returns the moment and the sets that were to begin a block for a clock set back.
        """
        world = self.world
        waiting = [k for k, one in enumerate(world.profiles.sets) if one and one.anew]
        moment = self.moment
        for flash in world.sets.flash:
            if flash:
                flash.left = -1
        world.start()
        registers = world.registers
        world.clock("again", registers.day, registers.second)
        if registers.second == 86400:
            registers.day += 1
            registers.second = 0
        self._set_forward(*self.missing)
        return moment, waiting

    def _forget(self, moment, waiting):
        """After a start a clock set back by up to three intervals is not known of."""
        for k in waiting:
            one = self.sets[k]
            one.anew = one.number(moment) < one.newest - 3

    def _set_forward(self, until, flags):
        self.missing = (until, flags)
        self.world.profiles.missing = flags
        self.world.clock("until", until // 86400, until % 86400)

    def start(self, _):
        more = self.world.more
        self._forget(*self.restart())
        for k, one in enumerate(self.sets):
            if one and (self.moment - 60 * one.start) % (60 * one.minutes) == 0:
                if self.moment % 86400:  # midnight is no end of an interval to a start
                    one.end(self.moment, self.status[k], more)
                self.status[k] = 0
        self._mark_all(self.moment)

    def _mark_all(self, moment):
        """The clock was set."""
        for k, one in enumerate(self.sets):
            if one:
                self._mark(k, moment)

    def forward(self, seconds):
        self._set_forward(self.moment + seconds, FORWARD)
        self._mark_all(self.moment)

    def cut(self, operations):
        """Power will go in the middle of each flash after so many operations."""
        for flash in self.world.sets.flash:
            if flash:
                flash.left = operations

    def read(self, blocks):
        for k, one in enumerate(self.sets):
            if one:
                self.world.profiles.sets[k].read_entries(blocks)
                unread = min(len(one.blocks) - one.read, one.shape[0])
                one.read = len(one.blocks) - unread + min(blocks, unread)

    def back(self, seconds):
        moment = max(self.moment - seconds, 86400 * (DAY - 20))
        day, second = divmod(moment, 86400)
        world = self.world
        world.clock("back", day, second)
        for k, one in enumerate(self.sets):
            if one:
                one.anew = one.number(moment) < one.newest
                self.status[k] |= 0x80 | (0 if self.status[k] & 15 else 3)
        world.registers.day, world.registers.second = day, second
        self.missing = (moment, 0)
        world.clock("until", day, second)

    def reset(self, k):
        if self.sets[k]:
            self.world.profiles.sets[k].reset_list()
            blocks, intervals, _, time = self.sets[k].shape
            self.sets[k] = Set(blocks, intervals, time, self.sets[k].sources, self.sets[k].start)
            self.status[k] = 0

    def configure(self, shape):
        k, (blocks, intervals, time, sources, start) = shape
        if self.world.configure(k, blocks, intervals, time, sources, start):
            self.sets[k] = Set(blocks, intervals, time, sources, start)
            self.status[k] = 0
        else:
            assert blocks * intervals > 337

    def check(self):
        """BT63 and the data as the host decodes them by what BT61 says."""
        bt61 = bytes(self.world.model.bodies[61])
        for number, table in layout_for(bt61).items():
            k = number - 64
            if k < 0:
                continue
            assert table.size == self.world.model.sizes[number]
            if not self.sets[k]:
                continue
            flags, *rest = self.world.status(k)
            assert (bool(flags & 2), *rest) == self.sets[k].status()
            found = get(table.record, 0, self.world.table(k), 0)["blocks"]
            for block, (end, there, intervals) in zip(found, self.sets[k].body(), strict=True):
                assert tuple(block["simple_status"]) == there
                if there:
                    assert block["end_time"] == stamp(*end)
                for n in there:
                    one = block["intervals"][n]
                    values = tuple(one["values"])
                    assert (bytes(one["extended_status"]), values) == intervals[n]


def stamp(day, minute):
    """What the decoder makes of an STIME."""
    from datetime import date, timedelta

    moment = date(2000, 1, 1) + timedelta(days=day)
    return (moment.year - 2000, moment.month, moment.day, minute // 60, minute % 60)


# no shrinking: a life is long enough to make that take minutes
@settings(max_examples=30, deadline=None, phases=[Phase.generate])
@given(st.lists(ACTIONS, min_size=1, max_size=12))
def test_any_life(actions):
    life = Life()
    for what, argument in actions:
        getattr(life, what)(argument)
        life.check()
    life.start(0)
    life.check()


@settings(max_examples=20, deadline=None)
@given(SHAPES, st.data())
def test_any_split_of_a_read(shape, data):
    life = Life()
    life.configure((2, shape))
    life.go(data.draw(st.integers(0, 300_000)))
    if not life.sets[2]:
        return
    whole = life.world.table(2)
    read = life.world.profiles.sets[2].read
    at = 0
    while at < len(whole):
        n = data.draw(st.integers(1, len(whole) - at))
        buf = bytearray(n + 4)
        read(at, n, buf, 2)
        assert bytes(buf[2:-2]) == whole[at : at + n]
        at += n


@pytest.mark.parametrize("cut", range(0, 64, 3))
def test_power_fails_at_each_operation_of_any_set(cut):
    """Four sets at once, and the power goes in the middle of operation `cut` of each."""
    life = Life()
    life.configure((1, (6, 50, 1, [0], 0)))
    life.configure((2, (4, 12, 10, [0, 5, 9], 3)))
    life.configure((3, (3, 7, 60, list(range(16)), 0)))
    life.go(1000)
    for k, flash in enumerate(life.world.sets.flash):
        flash.left = cut // (1, 1, 3, 10)[k]
    life.go(50_000)
    life.check()
    life.start(0)
    life.check()

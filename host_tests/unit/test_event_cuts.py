"""Events when power goes at any flash operation: what was posted is there, numbers go on."""

from events_support import ALTERNATE, World, entries, header, select, told
from meter_support import PowerCut
from osgp.events import BT73

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:
    given = None

SAG = 98  # an event without an alarm


def scenario(world, done):
    """Appends what was posted to `done` when that returned."""
    select(world, ALTERNATE, 99)
    for k in range(1, 7):
        world.events.post((SAG, 99, 89)[k % 3], k)
        done.append(((SAG, 99, 89)[k % 3], k))
    world.read(6)
    done.append("read")
    world.events.post(SAG, 77)
    done.append((SAG, 77))


def test_power_cuts_lose_nothing_that_was_answered():
    world = World()
    scenario(world, [])
    operations = world.power.used
    assert operations > 12
    for cut in range(operations):
        world = World()
        done = []
        world.power.left = cut
        try:
            scenario(world, done)
        except PowerCut:
            pass
        world.start()
        logged = [one for one in told(world.events.log) if one[0] not in (0, 86)]
        posted = [one for one in done if one != "read"]
        assert logged[: len(posted)] == posted, cut
        assert len(logged) <= len(posted) + 1, cut
        if "read" in done:
            assert header(world.events.log)[4] <= len(posted) - 6 + 2, cut
        world.events.post(104)
        sequences = [entry[1] for entry in entries(world.events.log) if entry[3]]
        assert sequences == sorted(set(sequences)), cut
        both = [entry[1] for entry in entries(world.events.alternate) if entry[3]]
        assert both == sorted(set(both)), cut
        assert world.events.sequence == sequences[-1], cut


def test_the_sequence_never_goes_back():
    """Through restarts, cuts and resets of the list, and round the ring."""
    world = World()
    newest = 0
    for life in range(30):
        world.power.left = 7 + life
        try:
            for k in range(20):
                world.events.post(96 + (k + life) % 10, k)
            world.reset()
        except PowerCut:
            pass
        world.start()
        world.events._spent = bytearray(len(world.events._spent))
        world.events.post(106)
        assert world.events.sequence > newest
        newest = world.events.sequence
        assert header(world.events.log)[3] == newest


if given is not None:
    STEP = st.one_of(
        st.tuples(st.just("post"), st.integers(1, 70)),
        st.tuples(st.just("read"), st.integers(0, 100)),
        st.tuples(st.just("reset"), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
    )

    @settings(max_examples=80, deadline=None)
    @given(st.lists(STEP, max_size=20))
    def test_the_log_is_a_list_of_which_the_newest_hundred_show(steps):
        """Against a plain list, whatever was read, reset and restarted in between."""
        world = World()
        world.patch(BT73, 0, bytes(12) + b"\x04" + bytes(14))  # only event 98
        listed = []
        unread = sequence = 0
        for step, n in steps:
            if step == "post":
                for _ in range(n):
                    world.events._spent = bytearray(len(world.events._spent))
                    world.events.post(SAG)
                    sequence += 1
                    listed.append(sequence & 0xFFFF)
                unread += n
            elif step == "read":
                n = min(n, unread, 100)
                world.read(n)
                unread = min(unread, 100) - n
            elif step == "reset":
                world.reset()
                listed = []
                unread = 0
            else:
                world.start()
            log = world.events.log
            valid = min(len(listed), 100)
            last = (len(listed) - 1) % 100 if listed else 0
            flags = 0x06 if unread > 100 else 0x04
            assert header(log) == (flags, valid, last, sequence, min(unread, 100))
            assert [entry[1] for entry in entries(log)] == listed[-100:]

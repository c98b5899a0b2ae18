"""No event floods the log: what is logged of many, and what is said of the others."""

from events_support import World, alarms, entries, told

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:
    given = None

SAG = 98  # an event without an alarm
NOT_LOGGED = 0xFFFC


def test_a_flood_leaves_sixteen_entries_a_beginning_and_an_end():
    world = World()
    for k in range(1000):
        world.events.post(SAG, k + 1)
    expected = [(0xFFFF, SAG, k + 1) for k in range(16)] + [(NOT_LOGGED, SAG, 0)]
    assert [entry[2:] for entry in entries(world.events.log)] == expected
    world.hours(1)  # it raged in this one
    assert len(entries(world.events.log)) == 17
    world.hours(1)
    assert entries(world.events.log)[17][2:] == (NOT_LOGGED, SAG, 984)
    world.hours(3)
    assert len(entries(world.events.log)) == 18


def test_others_are_logged_during_a_flood():
    world = World()
    for k in range(300):
        world.events.post(SAG)
        if k % 50 == 0:
            world.events.post(99, k)
    assert [one for one in told(world.events.log) if one[0] == 99] == [
        (99, k) for k in range(0, 300, 50)
    ]


def test_a_flood_sets_its_alarm_again():
    world = World()
    for _ in range(30):
        world.events.post(89)
    world.events.alarm(24 + 25, False)
    world.events.post(89)
    assert 24 + 25 in alarms(world)


def test_one_entry_an_hour_comes_back():
    world = World()
    for _ in range(16):
        world.events.post(SAG)
    world.hours(5)
    for _ in range(6):
        world.events.post(SAG)
    assert [entry[2] for entry in entries(world.events.log)[16:]] == [0xFFFF] * 5 + [NOT_LOGGED]


def test_a_restart_gives_no_new_allowance():
    world = World()
    for _ in range(40):
        world.events.post(SAG)
    world.start()
    for _ in range(40):
        world.events.post(SAG)
    assert len(entries(world.events.log)) == 18  # and one more beginning


def test_wrong_keys_are_an_event_a_minute():
    class Door:
        failures = 0

    world = World()
    world.events.doors = (Door, Door)
    world.hours(1)
    Door.failures = 7
    world.hours(1)
    Door.failures = 8
    world.hours(1)
    assert told(world.events.log) == [(72, 14), (72, 2)]
    assert 32 in alarms(world)


if given is not None:

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.sampled_from((SAG, 99, 89, 72)), st.integers(1, 60)),
                st.just("hour"),
                st.just("restart"),
            ),
            max_size=25,
        )
    )
    def test_no_event_is_more_than_its_share(steps):
        """Of each event: entries are at most 16 and one an hour, and each flood's two; and with
        what the summaries say, nothing is missing as long as there was no restart."""
        world = World()
        posted = {}
        hours = restarts = 0
        logged = {}
        seen = 0
        for step in steps:
            if step == "hour":
                world.hours(1)
                hours += 1
            elif step == "restart":
                world.start()
                restarts += 1
            else:
                for _ in range(step[1]):
                    world.events.post(step[0], 1)
                posted[step[0]] = posted.get(step[0], 0) + step[1]
            for entry in entries(world.events.log):
                if entry[1] > seen:
                    logged.setdefault(entry[3], []).append(entry)
            seen = world.events.sequence
        world.hours(2)
        for entry in entries(world.events.log):
            if entry[1] > seen:
                logged.setdefault(entry[3], []).append(entry)
        for event, count in posted.items():
            ordinary = [entry for entry in logged[event] if entry[2] != NOT_LOGGED]
            summaries = [entry[4] for entry in logged[event] if entry[2] == NOT_LOGGED]
            assert len(ordinary) <= 16 * (restarts + 1) + hours
            if not restarts:
                assert len(ordinary) + sum(summaries) == count

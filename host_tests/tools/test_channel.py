"""The power line: times by the public figures, CSMA, collisions, loss, and the same run for the
same seed.
"""

import statistics
from itertools import pairwise

import pytest

from osgp_tools import airtime, lpdu
from osgp_tools.airtime import BETA1_AFTER_RX, BETA1_AFTER_TX, BETA2, PACKET_CYCLE, SECOND
from osgp_tools.channel import Channel
from osgp_tools.line_statistics import header_length
from osgp_tools.link_budget import Link, decibels
from osgp_tools.lpdu import Frame

DOMAIN = bytes.fromhex("4F5347500000")


def frame(length=40, delta_backlog=0):
    """An LPDU of that many octets."""
    return Frame(body=bytes(length - 9), delta_backlog=delta_backlog).encode()


def line_of(count, **options):
    channel = Channel(**{"seed": 1} | options)
    heard = [[] for _ in range(count)]
    stations = [
        channel.attach(lambda octets, signal, to=to: to.append((channel.now, octets, signal)))
        for to in heard
    ]
    return channel, stations, heard


def starts(channel):
    """Records (ns, sender) of every frame."""
    seen = []
    channel.tap = lambda when, sender, _: seen.append((when, sender.index))
    return seen


# -- figures


def test_times_of_transceiver_222():
    assert BETA2 == 3_648_000
    assert BETA1_AFTER_RX == 8_011_200
    assert BETA1_AFTER_TX == 8_824_800
    assert PACKET_CYCLE == 127_015_200
    assert airtime.air_time(60) == (35 + 11 * 60) * SECOND // 3_240


def test_limit_of_profile_35():
    """35.4 ms of access, and 0.58 s for an 84-octet read with its answer, in either length of
    domain.
    """
    assert round(airtime.MEAN_ACCESS / 1e6, 1) == 35.4
    assert airtime.limit_seconds(0) == pytest.approx(35 / 3240 + 0.0354, abs=1e-4)
    for domain in (DOMAIN[:3], DOMAIN):
        read = bytes.fromhex("00 3F 0040 000000 0054") + bytes(4 + 8)
        answer = bytes(1 + 3 + 84 + 8)
        lengths = [len(Frame(body=body, domain=domain).encode()) for body in (read, answer)]
        cost = sum(map(airtime.limit_seconds, lengths))
        assert cost == pytest.approx(0.58, abs=0.015)
        assert airtime.share(lengths, cost) == pytest.approx(1)
        assert airtime.share(lengths, 2 * cost) == pytest.approx(0.5)


def test_mean_access_after_a_frame_is_that_of_the_limit():
    channel, (asking, answering), _ = line_of(2)
    seen = starts(channel)
    ends = []
    left = 2_000

    def answer(_octets, _signal):
        ends.append(channel.now)
        answering.send(frame())

    def ask(_octets, _signal):
        nonlocal left
        left -= 1
        if left:
            asking.send(frame())

    answering.on_frame, asking.on_frame = answer, ask
    asking.send(frame())
    channel.advance(3_600 * SECOND)
    waits = [
        when - end for end, (when, _) in zip(ends, [s for s in seen if s[1] == 1], strict=True)
    ]
    assert min(waits) == BETA1_AFTER_RX
    assert max(waits) == BETA1_AFTER_RX + 15 * BETA2
    assert statistics.mean(waits) / 1e6 == pytest.approx(35.4, abs=0.6)


def test_a_line_long_idle_costs_a_slot_only():
    channel, (station, _), _ = line_of(2)
    seen = starts(channel)
    for second in range(1, 1_001):
        station.send(frame(), second * SECOND)
    channel.advance(1_002 * SECOND)
    waits = [when - second * SECOND for second, (when, _) in enumerate(seen, 1)]
    assert set(waits) == {slot * BETA2 for slot in range(16)}
    assert statistics.mean(waits) / 1e6 == pytest.approx(7.5 * 3.648, abs=1.2)


def test_a_station_that_has_sent_waits_a_little_longer():
    channel, (station, _), _ = line_of(2)
    seen = starts(channel)
    for _ in range(100):
        station.send(frame())
    channel.advance(60 * SECOND)
    duration = airtime.air_time(40)
    gaps = {b - a - duration - BETA1_AFTER_TX for (a, _), (b, _) in pairwise(seen)}
    assert gaps == {slot * BETA2 for slot in range(16)}


# -- carrier sense and collisions


def contest(channel, stations, rounds=300):
    """All have a frame when a first one ends. Returns (when, who) of each round's frames."""
    seen = starts(channel)
    result = []
    for number in range(rounds):
        at = (number + 1) * 20 * SECOND
        stations[0].send(frame(), at)
        channel.advance(at + SECOND // 100 * 8)
        for station in stations[1:]:
            station.send(frame(), at + SECOND // 10)
        seen.clear()
        channel.advance(at + 19 * SECOND)
        result.append(list(seen))
    return result


def test_two_in_one_slot_collide_and_nobody_hears_them():
    channel, stations, heard = line_of(4)
    rounds = contest(channel, stations[:3])
    met = [seen for seen in rounds if seen[-2][0] == seen[-1][0]]
    assert len(met) == pytest.approx(300 / 16, abs=12)
    assert channel.statistics.collisions == 2 * len(met)
    good = 300 * 3 - 2 * len(met)
    assert len(heard[3]) == good
    assert channel.statistics.deaf == 2 * len(met)
    assert channel.statistics.destroyed == 2 * len(met) * 2


def test_neighbouring_slots_never_collide_whoever_sent_before():
    """The one that sent last counts its slots 0.8 ms later than the others."""
    channel, stations, _ = line_of(2)
    seen = starts(channel)
    duration = airtime.air_time(40)
    for number in range(400):
        at = (number + 1) * 20 * SECOND
        stations[0].send(frame(), at)
        stations[0].send(frame(), at)
        stations[1].send(frame(), at + SECOND // 10)
    channel.advance(10_000 * SECOND)
    apart = {second - first for (first, _), (second, _) in pairwise(seen)}
    assert {gap for gap in apart if gap < duration} == {BETA1_AFTER_TX - BETA1_AFTER_RX}


def test_who_hears_a_carrier_waits():
    channel, (a, b, c), heard = line_of(3)
    seen = starts(channel)
    a.send(frame(100))
    b.send(frame(), SECOND // 5)
    channel.advance(5 * SECOND)
    (first, _), (second, _) = seen
    assert second >= first + airtime.air_time(100) + BETA1_AFTER_RX
    assert len(heard[c.index]) == 2


def test_hidden_stations_do_not_wait_and_destroy_each_other_in_the_middle():
    channel, (left, middle, right), heard = line_of(3)
    channel.set_link(left, right, Link(-90, -20))
    errors = []
    middle.on_error = lambda: errors.append(channel.now)
    left.send(frame(100))
    right.send(frame(100), SECOND // 5)
    channel.advance(5 * SECOND)
    assert heard[1] == []
    assert len(errors) == 1
    assert channel.statistics.collisions == 2


def test_the_much_stronger_of_two_survives():
    channel, (left, middle, right), heard = line_of(3)
    channel.set_link(left, right, Link(-90, -20))
    channel.set_link(left, middle, Link(-12, 33))
    channel.set_link(right, middle, Link(-24, 21))
    strong, weak = frame(100), frame(101)
    left.send(strong)
    right.send(weak, SECOND // 5)
    channel.advance(5 * SECOND)
    assert [octets for _, octets, _ in heard[1]] == [strong]


# -- backlog


def test_backlog_follows_delta_backlog_idle_cycles_and_slots_waited():
    channel, (a, b), _ = line_of(2)
    a.send(frame(delta_backlog=5))
    channel.advance(SECOND // 4)
    assert (a.backlog, b.backlog) == (5, 5)
    end_of_first = b.idle_since
    b.send(frame(), end_of_first + BETA1_AFTER_RX + 2 * PACKET_CYCLE)
    channel.advance(end_of_first + BETA1_AFTER_RX + 2 * PACKET_CYCLE)
    assert b.backlog == 3
    assert b.window == 16 * 4
    channel.advance(3 * SECOND)
    assert b.backlog <= 2
    for _ in range(3):
        a.send(frame(delta_backlog=63))
    channel.advance(10 * SECOND)
    assert a.backlog == 63
    assert a.backlog_overflows >= 1


def test_idle_cycles_count_from_the_end_of_beta1():
    channel, (a, b), _ = line_of(2)
    a.send(frame(delta_backlog=5))
    channel.advance(SECOND // 4)
    b.send(frame(), b.idle_since + 2 * PACKET_CYCLE)
    channel.advance(b.idle_since + 2 * PACKET_CYCLE)
    assert b.backlog == 4


def test_sixteen_slots_waited_take_one_off():
    channel, (a, b), _ = line_of(2)
    seen = starts(channel)
    a.send(frame(delta_backlog=40))
    channel.advance(SECOND // 4)
    end = b.idle_since
    b.send(frame(delta_backlog=1))  # the line has been idle for more than beta1
    channel.advance(8 * SECOND)
    cycles = (SECOND // 4 - end - BETA1_AFTER_RX) // PACKET_CYCLE
    slots = (seen[1][0] - SECOND // 4) // BETA2
    assert slots >= 16
    assert b.backlog == 40 - cycles - slots // 16 + 1


def test_a_frame_without_delta_backlog_takes_one_off():
    channel, (a, b), _ = line_of(2)
    a.send(frame(delta_backlog=2))
    channel.advance(SECOND // 4)
    a.send(frame())
    channel.advance(SECOND // 2)
    assert b.backlog <= 1


def test_delta_backlog_spreads_the_answers():
    """Twenty answers to one question: told to expect them, fewer of them collide."""
    lost = []
    for delta in (0, 20):
        channel, stations, _ = line_of(21)
        for station in stations[1:]:
            station.on_frame = lambda octets, _s, station=station: (
                len(octets) == 50 and station.send(frame(30))
            )
        for number in range(20):
            stations[0].send(frame(50, delta), number * 60 * SECOND)
        channel.advance(20 * 60 * SECOND)
        lost.append(channel.statistics.collisions)
    assert lost[1] < lost[0] / 2


# -- loss and signal


def test_loss_is_what_was_asked_for():
    channel, (a, _b), heard = line_of(2, loss=0.2, seed=3)
    for second in range(2_000):
        a.send(frame(), second * SECOND)
    channel.advance(2_001 * SECOND)
    assert channel.statistics.losses / 2_000 == pytest.approx(0.2, abs=0.03)
    assert len(heard[1]) == channel.statistics.receptions == 2_000 - channel.statistics.losses


@pytest.mark.parametrize(("margin", "loss"), [(0, 0.91), (3, 0.5), (6, 0.09), (15, 0.0001)])
def test_loss_by_margin(margin, loss):
    assert Link(-40, margin).loss == pytest.approx(loss, rel=0.02)


def test_signal_tells_margin_strength_path_and_phase():
    channel = Channel(seed=1)
    came = []
    a = channel.attach(phase=1)
    b = channel.attach(lambda _octets, signal: came.append(signal), phase=0)
    channel.set_link(a, b, Link(-31, 16))
    a.send(Frame(body=b"\x51", alt_path=True).encode())
    channel.advance(SECOND)
    (signal,) = came
    assert decibels(signal.levels) == (15, -36)
    assert signal.status == 0x0C
    assert signal.phase == 2


def test_an_attenuated_frame_is_weaker():
    channel, (a, b), heard = line_of(2)
    channel.set_link(a, b, Link(-60, 8))
    a.send(frame(), attenuate=True)
    channel.advance(SECOND)
    assert heard[1] == []
    a.send(frame())
    channel.advance(2 * SECOND)
    assert len(heard[1]) == 1


# -- order


def test_priority_goes_first_and_cancel_forgets():
    channel, (a, _b), heard = line_of(2)
    for length, priority in ((40, False), (41, False), (42, True), (43, True)):
        a.send(frame(length), SECOND, priority=priority)
    channel.advance(5 * SECOND)
    assert [len(octets) for _, octets, _ in heard[1]][1:] == [42, 43, 41] or [
        len(octets) for _, octets, _ in heard[1]
    ] == [42, 43, 40, 41]
    a.send(frame())
    a.send(frame(), channel.now + SECOND)
    a.cancel()
    channel.advance(10 * SECOND)
    assert len(heard[1]) == 4


def busy_hour(seed):
    channel, stations, heard = line_of(10, loss=0.05, seed=seed)
    for number in range(600):
        stations[number % 10].send(frame(20 + number % 90), number * SECOND // 3)
    channel.advance(300 * SECOND)
    return [[(when, octets) for when, octets, _ in to] for to in heard], channel.statistics


def test_the_same_seed_is_the_same_run():
    assert busy_hour(7) == busy_hour(7)
    assert busy_hour(7) != busy_hour(8)


def test_statistics_add_up():
    _, counted = busy_hour(7)
    report = counted.report(300 * SECOND)
    assert report["frames"] == 600
    assert report["octets"] == sum(20 + number % 90 for number in range(600))
    parts = sum(report[part] for part in ("preamble_s", "header_s", "crc_s", "apdu_s"))
    assert parts == pytest.approx(report["air_s"], abs=1e-6)
    assert counted.receptions + counted.losses + counted.deaf + counted.destroyed == 600 * 9


@pytest.mark.parametrize(
    "one",
    [
        Frame(body=b"\x51"),
        Frame(lpdu.APDU, lpdu.BROADCAST, domain=DOMAIN, body=b"\x45"),
        Frame(address=lpdu.UNIQUE_ID, unique_id=bytes(6), domain=DOMAIN, body=b"\x47\x01"),
        Frame(group=3, member=2, domain=DOMAIN[:3], body=b"\x51"),
    ],
)
def test_header_length(one):
    octets = one.encode()
    assert header_length(octets) == len(octets) - 2 - len(one.body)

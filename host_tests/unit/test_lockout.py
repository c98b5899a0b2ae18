"""Lockout after wrong messages: mode 0 may (ET55.20, 21), mode 2 never does (profile 12)."""

from secured import AES, DIGEST_ERROR, NUMBER, READ_NAME, WRITE_NAME, Bench

MINUTE = 60000
WRONG = bytes(20)


class House:
    """What a device has, for the envelope: here, who is told of an event."""

    def __init__(self):
        self.events = self
        self.posted = []

    def post(self, event, argument):
        self.posted.append((event, argument))


def locking(allowed, minutes):
    bench = Bench()
    bench.envelope.house = House()
    bench.envelope.reserved = 1 << 20  # uses are not looked at here
    bench.envelope.lockout = (allowed, minutes)
    return bench


def test_it_is_off_by_default():
    bench = Bench()
    for _ in range(300):
        assert bench.send(WRONG) == DIGEST_ERROR
    assert bench.ask(WRITE_NAME, NUMBER) == b"\x00"


def test_the_failure_after_those_that_are_allowed_locks():
    bench = locking(30, 5)
    envelope = bench.envelope
    for _ in range(30):
        assert bench.send(WRONG, 1000) == DIGEST_ERROR
    assert bench.send(WRONG, 1000) == b""
    assert envelope.house.posted == [(90, 31)]
    good = bench.client.request(READ_NAME, NUMBER)
    before = bench.state()
    for now in (1001, 1000 + MINUTE, 999 + 5 * MINUTE):
        assert bench.send(good, now) == b""
        assert bench.send(WRONG, now) == b""
    assert bench.state() == before
    assert (envelope.received, envelope.validated, envelope.failures) == (37, 0, 31)
    assert bench.client.answer(bench.send(good, 1000 + 5 * MINUTE))[0] == 0
    assert envelope.house.posted == [(90, 31)]


def test_it_counts_anew_afterwards():
    bench = locking(2, 1)
    for start in (0, MINUTE, 2 * MINUTE):
        for _ in range(2):
            assert bench.send(WRONG, start) == DIGEST_ERROR
        for _ in range(3):
            assert bench.send(WRONG, start) == b""
    assert bench.envelope.house.posted == [(90, 3)] * 3


def test_a_good_message_ends_the_row():
    bench = locking(2, 1)
    for k in range(9):
        assert bench.send(WRONG) == DIGEST_ERROR
        assert bench.send(WRONG) == DIGEST_ERROR
        assert bench.ask(READ_NAME, NUMBER + k)[0] == 0
    assert bench.envelope.house.posted == []


def test_one_of_no_minutes_is_none():
    bench = locking(2, 0)
    for _ in range(9):
        assert bench.send(WRONG) == DIGEST_ERROR


def test_what_is_too_short_is_no_failure():
    bench = locking(2, 1)
    for _ in range(9):
        assert bench.send(WRONG[:15]) == b""
    assert bench.send(WRONG) == DIGEST_ERROR


def test_mode_2_never_locks():
    bench = Bench(mode=AES)
    bench.envelope.lockout = (2, 255)
    for k in range(200):
        wrong = bytes((0, k)) * 10
        assert bool(bench.send(wrong)) == (k < 30)
    assert bench.ask(WRITE_NAME, NUMBER) == b"\x00"


def test_a_flood_keeps_no_right_message_out():
    """Whatever wrong messages, and however many, come between right ones: all of these are
    answered."""
    bench = Bench(mode=AES)
    bench.envelope.lockout = (1, 255)
    answered = 0
    for k in range(60):
        good = bench.client.request(WRITE_NAME if k % 2 else READ_NAME, NUMBER + k)
        for n in range(k):
            wrong = bytearray(good)
            wrong[1 + n % (len(good) - 1)] ^= 1 << n % 8
            bench.send(bytes(wrong))
        answered += bench.client.answer(bench.send(good))[0] == 0
    assert answered == 60
    assert bench.envelope.failures == sum(range(60))

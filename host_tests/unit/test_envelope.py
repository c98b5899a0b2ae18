"""Security mode 0 from the outside: a client written from the description against the envelope."""

from fakes import Settings
from oma_client import Client, Rc4, base_key, feed, finish
from osgp.envelope import Envelope
from osgp.membership import Membership
from secured import (
    BODY,
    DIGEST_ERROR,
    NAME,
    NUMBER,
    OMAK,
    READ_IDENTITY,
    READ_NAME,
    UID,
    WRITE_NAME,
    Bench,
)
from support import aes, noise, unhex
from tables.model import MASTER

# The published vector (osgp.md 2.4): subnet, node, request with its number, response, and an octet
# 11 that nobody explains.
VECTOR = unhex("0202 00 300003 7F30EA6D 00 00 000D 0020980031C30008000000000011")
VECTOR_DIGEST = unhex("DBE5CDE507B1CB3D")


def next_number(number):
    return b"\x0c" + bytes((number >> 24, number >> 16 & 0xFF, number >> 8 & 0xFF, number & 0xFF))


class Published:
    """In the services' place: answers what the device of the published vector answered."""

    def run(self, buf, a, end, out, o, level, now):
        assert bytes(buf[a:end]) == READ_IDENTITY
        response = VECTOR[11:]
        out[o : o + len(response)] = response
        return o + len(response)


def test_the_client_against_the_published_values():
    state = bytearray(8)
    assert finish(state, OMAK, feed(state, OMAK, 0, VECTOR)) == VECTOR_DIGEST
    assert base_key(OMAK) == unhex("C33EF2FFB0AAAE76ED039AD0804D67AA")
    cipher = Rc4(unhex("18DB3F1AB71B654BED039AD0804D67AA"))
    assert cipher.crypt(VECTOR) == unhex(
        "E52847CF97FD90BAA0262C509AF1C062E2FD3AF5ADC0DCC4B252F11B"
    )


def test_the_published_exchange():
    bench = Bench(services=Published())
    answer = bench.send(bench.client.request(READ_IDENTITY, NUMBER))
    assert answer[-8:] == VECTOR_DIGEST
    assert bench.client.answer(answer) == VECTOR[11:]


def test_read_and_write():
    bench = Bench()
    request = bench.client.request(READ_IDENTITY, NUMBER)
    answer = bench.send(request)
    assert len(answer) == 1 + 3 + 13 + 8
    assert BODY not in answer
    assert bench.client.answer(answer) == unhex("00 000D") + BODY
    assert bench.ask(WRITE_NAME, NUMBER + 1) == b"\x00"
    assert bench.settings.kept["BT05"] == b"name" + bytes(6)
    assert bench.ask(READ_NAME, NUMBER + 2) == unhex("00 000A") + b"name" + bytes(6)
    assert bench.ask(unhex("30 0006"), NUMBER + 3) == unhex("00 0054") + bytes(noise(84))
    for command, code in (("30 0004", 5), ("40 0003 0001 00", 3), ("99 0102", 2), ("30 0003", 0)):
        number = bench.counter.hi << 16 | bench.counter.lo
        assert bench.ask(unhex(command), number)[0] == code
    assert bench.envelope.received == bench.envelope.validated == 8
    assert (bench.envelope.failures, bench.envelope.bad_lengths) == (0, 0)


def test_wrong_digests_change_nothing():
    bench = Bench()
    before = bench.state()
    request = bench.client.request(WRITE_NAME, NUMBER)
    for k in range(8 * len(request)):
        flipped = bytearray(request)
        flipped[k >> 3] ^= 1 << (k & 7)
        assert bench.send(flipped) == DIGEST_ERROR
    for stranger in (Client(b"\xde" + OMAK[1:], 2, 2), Client(OMAK, 2, 3), Client(OMAK, 1, 2)):
        assert bench.send(stranger.request(WRITE_NAME, NUMBER)) == DIGEST_ERROR
    assert bench.send(bench.client.request(WRITE_NAME, NUMBER, encrypted=False)) == DIGEST_ERROR
    assert bench.state() == before
    assert bench.envelope.failures == bench.envelope.received == 8 * len(request) + 4
    assert bench.envelope.validated == 0
    assert bench.client.answer(bench.send(bench.client.request(WRITE_NAME, NUMBER))) == b"\x00"


def test_other_lengths_change_nothing():
    bench = Bench()
    request = bench.client.request(WRITE_NAME, NUMBER)
    before = bench.state()
    for n in range(len(request)):
        assert bench.send(request[:n]) == (DIGEST_ERROR if n >= 16 else b"")
    assert bench.envelope.bad_lengths == 16
    for n in range(1, 9):
        assert bench.send(request + bytes(n)) == DIGEST_ERROR
    assert bench.state() == before


def test_zeros_that_the_digest_does_not_see():
    bench = Bench(0x100)
    before = bench.state()
    plain = bench.client.request(WRITE_NAME, 0x100)
    for surplus in (1, 2, 4, 8, -1):
        request = bench.client.request(WRITE_NAME, 0x100, surplus=surplus)
        assert request[-8:] == plain[-8:]  # the digest holds
        assert bench.send(request) == DIGEST_ERROR
    assert bench.envelope.bad_lengths == 5
    assert bench.state() == before
    assert bench.client.answer(bench.send(bench.client.request(WRITE_NAME, 0x100))) == b"\x00"


def check_window(expected):
    for ahead in range(-2, 11):
        bench = Bench(expected)
        number = expected + ahead
        if not 0 <= number <= 0xFFFFFFFF:
            continue
        answer = bench.ask(READ_IDENTITY, number)
        if 0 <= ahead <= 7 and number != 0xFFFFFFFF:
            assert answer == unhex("00 000D") + BODY
            assert bench.counter.hi << 16 | bench.counter.lo == number + 1
        else:
            assert answer == next_number(expected), ahead
            assert bench.counter.hi << 16 | bench.counter.lo == expected
            assert bench.envelope.bad_sequences == 1


def test_window():
    for expected in (0, NUMBER, 0x1FFFC, 0xFFFF, 0x10000, 0x10001, 0x7FFFFFFF, 0xFFFFFFF8):
        check_window(expected)


def test_the_numbers_end():
    check_window(0xFFFFFFFE)
    check_window(0xFFFFFFFF)
    bench = Bench(0xFFFFFFFE)
    assert bench.ask(READ_IDENTITY, 0xFFFFFFFE)[0] == 0
    for number in (0xFFFFFFFF, 0, 1, 0xFFFFFFFE):
        assert bench.ask(WRITE_NAME, number) == next_number(0xFFFFFFFF)


def test_far_from_the_window():
    bench = Bench(0x00020005)
    for number in (0x00010005, 0x00030005, 0x00040005, 0x80020005, 0xFFFFFFFF, 0):
        assert bench.ask(READ_IDENTITY, number) == next_number(0x00020005)


def test_a_replay_is_not_executed():
    bench = Bench()
    request = bench.client.request(WRITE_NAME, NUMBER)
    assert bench.client.answer(bench.send(request)) == b"\x00"
    bench.model.body(NAME)[0] = 0x58
    before = bench.state()
    answer = bench.send(request)
    assert bench.client.answer(answer) == next_number(NUMBER + 1)
    assert answer[1:6] == next_number(NUMBER + 1)  # in clear
    assert bench.state() == before


def test_without_a_counter_or_keys():
    bench = Bench()
    request = bench.client.request(WRITE_NAME, NUMBER)
    bench.counter.ready = False
    assert bench.send(request) == DIGEST_ERROR
    bench.counter.ready = True
    bench.member.image[60] = 0
    assert bench.send(request) == DIGEST_ERROR
    bench.envelope.encrypted = False
    assert bench.send(bench.client.request(WRITE_NAME, NUMBER, encrypted=False)) == DIGEST_ERROR
    assert "BT05" not in bench.settings.kept
    virgin = Membership(Settings())
    envelope = Envelope(virgin, bench.counter, bench.services, MASTER, aes, UID)
    out = bytearray(120)
    zero = bytearray(Client(bytes(12), 0, 0).request(WRITE_NAME, NUMBER))
    assert envelope.request(zero, 0, len(zero), out, 0, 0) == 2
    assert out[:2] == DIGEST_ERROR


def test_clear_mode_answers_in_kind():
    bench = Bench()
    bench.envelope.encrypted = False
    answer = bench.send(bench.client.request(READ_IDENTITY, NUMBER, encrypted=False))
    assert bench.client.answer(answer) == answer[1:-8] == unhex("00 000D") + BODY
    answer = bench.send(bench.client.request(READ_IDENTITY, NUMBER + 1))
    assert BODY not in answer
    assert bench.client.answer(answer) == unhex("00 000D") + BODY
    answer = bench.send(bench.client.request(READ_IDENTITY, NUMBER + 2, encrypted=False))
    assert bench.client.answer(answer) == answer[1:-8]  # nothing is left of the last cipher
    assert bench.ask(READ_IDENTITY, NUMBER, encrypted=False) == next_number(NUMBER + 3)
    request = bytearray(bench.client.request(WRITE_NAME, NUMBER + 3, encrypted=False))
    for k in range(len(request)):
        request[k] ^= 0x10
        assert bench.send(request) == DIGEST_ERROR
        request[k] ^= 0x10
    assert bench.envelope.bad_lengths == 0


def test_rekey_takes_over_key_and_address():
    bench = Bench()
    bench.member.on_change = bench.envelope.rekey
    draft = bench.member.draft()
    draft[20:32] = b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
    bench.member.set_domain(draft, 0, 1, b"\x07" + bytes(5), 9, 127)
    bench.member.commit(draft)
    assert bench.send(bench.client.request(READ_NAME, NUMBER)) == DIGEST_ERROR
    bench.client = Client(bytes(draft[20:32]), 9, 127)
    assert bench.ask(READ_NAME, NUMBER)[0] == 0


def test_the_number_is_spent_before_the_command_runs():
    bench = Bench()

    def step(hi, lo):
        raise OSError(5)

    bench.counter.step = step
    before = bench.state()
    assert not bench.send(bench.client.request(WRITE_NAME, NUMBER))
    assert bench.state() == before
    assert bench.envelope.not_kept == 1

"""What a secured request costs: the same work however wrong it is, no heap. And any octets."""

import osgp.envelope as module
from fakes import retained
from oma_client import Client
from secured import DIGEST_ERROR, NUMBER, WRITE_NAME, Bench
from support import unhex

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

KERNELS = ("copy", "digest", "digest_pad", "equal", "fill", "rc4", "rc4_key")


def kernel_calls(bench, apdu):
    """The kernels that a request takes, with their ranges, up to and with the comparison."""
    calls = []
    plain = [getattr(module, name) for name in KERNELS]

    def counted(name, kernel):
        def call(*arguments):
            calls.append((name, [value for value in arguments if isinstance(value, int)]))
            return kernel(*arguments)

        return call

    for name, kernel in zip(KERNELS, plain):
        setattr(module, name, counted(name, kernel))
    try:
        answer = bench.send(apdu)
    finally:
        for name, kernel in zip(KERNELS, plain):
            setattr(module, name, kernel)
    return answer, calls


def test_every_way_of_being_wrong_takes_the_same_work():
    bench = Bench()
    good = bench.client.request(WRITE_NAME, NUMBER)
    padded = bench.client.request(unhex("40 0005 0003") + b"nam", NUMBER, surplus=1)
    flipped = bytearray(good)
    flipped[-1] ^= 1
    garbled = bytearray(good)
    garbled[1] ^= 1
    stranger = Client(bytes(12), 7, 7).request(WRITE_NAME, NUMBER)
    answers, counted = [], []
    for apdu in (flipped, garbled, padded, stranger, bytes(len(good))):
        answer, calls = kernel_calls(bench, apdu)
        answers.append(answer)
        counted.append(calls)
    bench.counter.ready = False
    answer, calls = kernel_calls(bench, good)
    answers.append(answer)
    counted.append(calls)
    assert answers == [DIGEST_ERROR] * 6
    assert counted == [counted[0]] * 6
    assert len(counted[0]) == 9
    bench.counter.ready = True
    answer, calls = kernel_calls(bench, good)
    assert bench.client.request(WRITE_NAME, NUMBER) == good
    assert bench.client.answer(answer) == b"\x00"
    assert calls[:9] == counted[0]


def test_secured_reads_leave_nothing_on_the_heap():
    bench = Bench()
    requests = [bytearray(bench.client.request(unhex("30 0006"), NUMBER + k)) for k in range(101)]
    out = bytearray(120)
    request = bench.envelope.request
    pending = [0]

    def read():
        apdu = requests[pending[0]]
        pending[0] += 1
        request(apdu, 0, len(apdu), out, 0, 0)

    assert retained(read, 100) in (0, None)
    for _ in range(101 - pending[0]):
        read()
    assert bench.services.reads == 101


if given:

    @given(st.binary(max_size=130), st.booleans())
    def test_any_octets_never_raise(apdu, encrypted):
        bench = Bench()
        bench.envelope.encrypted = encrypted
        assert bench.send(apdu) == (DIGEST_ERROR if len(apdu) >= 16 else b"")

    @given(st.binary(min_size=3, max_size=100), st.integers(0, 0xFFFFFFFF), st.booleans())
    def test_any_command_under_the_key_is_answered(command, number, encrypted):
        bench = Bench(number)
        bench.envelope.encrypted = encrypted
        answer = bench.send(bench.client.request(command, number, encrypted))
        if answer != DIGEST_ERROR:
            assert bench.client.answer(answer)[0] in (0, 2, 3, 4, 5, 0x0C)

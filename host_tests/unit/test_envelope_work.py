"""What a secured request costs: the same work however wrong it is, no heap. And any octets."""

from fakes import retained
from secured import AES, DIGEST_ERROR, KEY, LEGACY, NUMBER, WRITE_NAME, Bench, client
from support import aes, unhex

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

KERNELS = ("copy", "digest", "digest_pad", "equal", "fill", "rc4", "rc4_key", "xor")


def kernel_calls(bench, apdu):
    """The kernels and ciphers that a request takes, with their ranges, up to its answer."""
    calls = []
    module = bench.envelope.module
    names = [name for name in KERNELS if hasattr(module, name)]
    plain = [getattr(module, name) for name in names]

    def counted(name, kernel):
        def call(*arguments):
            calls.append((name, [value for value in arguments if isinstance(value, int)]))
            return kernel(*arguments)

        return call

    for name, kernel in zip(names, plain):
        setattr(module, name, counted(name, kernel))
    try:
        answer = bench.send(apdu)
    finally:
        for name, kernel in zip(names, plain):
            setattr(module, name, kernel)
    return answer, calls


def wrong_messages(mode):
    """A good one, and one for every way of being wrong."""
    bench = Bench(mode=mode)
    good = bench.client.request(WRITE_NAME, NUMBER)
    padded = bench.client.request(unhex("40 0005 0003") + b"nam", NUMBER, surplus=1)
    flipped = bytearray(good)
    flipped[-1] ^= 1
    garbled = bytearray(good)
    garbled[1] ^= 1
    stranger = client(mode, bytes(16), 7, 7).request(WRITE_NAME, NUMBER)
    return good, (flipped, garbled, padded, stranger, bytes(len(good)))


def work(mode):
    """The calls for a wrong message, which are the same for all of them."""
    good, wrong = wrong_messages(mode)
    bench = Bench(mode=mode)
    bench.send(b"\x00" * 16)  # mode 2 makes its subkeys at the first message
    counted = []
    for apdu in wrong:
        answer, calls = kernel_calls(bench, apdu)
        assert refused(bench, answer, apdu)
        counted.append(calls)
    bench.counter.ready = False
    answer, calls = kernel_calls(bench, good)
    assert refused(bench, answer, good)
    counted.append(calls)
    assert counted == [counted[0]] * 6
    bench.counter.ready = True
    answer, calls = kernel_calls(bench, good)
    assert bench.client.request(WRITE_NAME, NUMBER) == good
    assert bench.client.answer(answer) == b"\x00"
    return counted[0], calls


def refused(bench, answer, request):
    if answer[:2] != DIGEST_ERROR:
        return False
    return len(answer) == 2 or bench.client.answer(answer, bytes(request)) == b"\x0b"


def test_every_way_of_being_wrong_takes_the_same_work():
    wrong, good = work(LEGACY)
    assert len(wrong) == 10
    assert good[:10] == wrong


def test_every_way_of_being_wrong_takes_the_same_work_in_mode_2():
    wrong, good = work(AES)
    compared = [name for name, _ in wrong].index("equal", 1) + 1
    assert good[:compared] == wrong[:compared]
    assert len(wrong) > compared  # the ciphertext again, for the MAC of the 0B


def test_the_cipher_works_as_often_whatever_is_wrong():
    wrong = wrong_messages(AES)[1]
    bench = Bench(mode=AES)
    used = []

    def counting(key):
        encrypt = aes(key)

        def call(*arguments):
            used.append(1)
            return encrypt(*arguments)

        return call

    bench.envelope.aes = counting
    bench.envelope.suite = bench.envelope.make(KEY)
    bench.send(b"\x00" * 16)
    counts = []
    for apdu in wrong:
        used.clear()
        bench.send(apdu)
        counts.append(len(used))
    assert counts == [counts[0]] * len(wrong)


def reads(mode):
    bench = Bench(mode=mode)
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


def test_secured_reads_leave_nothing_on_the_heap():
    reads(LEGACY)
    reads(AES)


if given:

    @given(st.binary(max_size=130), st.booleans())
    def test_any_octets_never_raise(apdu, encrypted):
        bench = Bench()
        bench.envelope.encrypted = encrypted
        assert bench.send(apdu) == (DIGEST_ERROR if len(apdu) >= 16 else b"")

    @given(st.binary(max_size=130))
    def test_any_octets_never_raise_in_mode_2(apdu):
        bench = Bench(mode=AES)
        assert bench.send(apdu)[:2] == (DIGEST_ERROR if len(apdu) >= 16 else b"")

    @given(st.binary(min_size=3, max_size=100), st.integers(0, 0xFFFFFFFF), st.booleans())
    def test_any_command_under_the_key_is_answered(command, number, encrypted):
        bench = Bench(number)
        bench.envelope.encrypted = encrypted
        answer = bench.send(bench.client.request(command, number, encrypted))
        if answer != DIGEST_ERROR:
            assert bench.client.answer(answer)[0] in (0, 2, 3, 4, 5, 0x0C)

    @given(st.binary(min_size=3, max_size=100), st.integers(0, 0xFFFFFFFF))
    def test_any_command_under_the_key_is_answered_in_mode_2(command, number):
        bench = Bench(number, mode=AES)
        answer = bench.send(bench.client.request(command, number))
        assert bench.client.answer(answer)[0] in (0, 2, 3, 4, 5, 0x0B, 0x0C)

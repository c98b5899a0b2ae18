"""Whoever has the line, and no key: what he may send, and what he may do to what passes.

Everything in both security modes. The published attack on the digest of mode 0 is a matter of
`make attacks`: there the key is found. Floods and lockout: test_lockout.py. Key stream and nonce:
test_attacks_reuse.py.
"""

import aes_client
from secured import (
    AES,
    DIGEST_ERROR,
    KEY,
    LEGACY,
    NODE,
    NUMBER,
    READ_IDENTITY,
    READ_NAME,
    SUBNET,
    WRITE_NAME,
    Bench,
    client,
)
from support import noise, unhex

MODES = (LEGACY, AES)
READ_LONG = unhex("30 0006")


def is_refused(bench, answer, request):
    """Nothing, or a 0B; in mode 2 it proves itself for this very request."""
    if not answer or (bench.member.mode == LEGACY and answer == DIGEST_ERROR):
        return True
    return bench.member.mode == AES and bench.client.answer(answer, request) == b"\x0b"


def is_taken(who, answer):
    """Whether a concentrator takes this for the answer to its last request."""
    if len(answer) < 10:
        return False
    try:
        who.answer(answer)
    except AssertionError:
        return False
    return True


def test_replay():
    """A request that was good is told the next number, and does nothing any more."""
    for mode in MODES:
        bench = Bench(mode=mode)
        heard = []
        for k, command in enumerate((WRITE_NAME, READ_NAME, READ_IDENTITY, READ_LONG)):
            request = bench.client.request(command, NUMBER + k)
            assert bench.client.answer(bench.send(request))[0] == 0
            heard.append(request)
        assert bench.ask(unhex("40 0005 0004") + b"else", NUMBER + 4) == b"\x00"
        before = bench.state()
        for _ in range(3):
            for request in heard:
                answer = bench.send(request)
                assert answer[:6] == b"\x00\x0c" + (NUMBER + 5).to_bytes(4, "big")
        assert bench.state() == before


def test_replay_of_what_never_arrived():
    """A request that was kept back is good until another one with a later number was."""
    for mode in MODES:
        bench = Bench(mode=mode)
        kept_back = bench.client.request(WRITE_NAME, NUMBER)
        assert bench.ask(READ_NAME, NUMBER + 1)[0] == 0
        assert bench.send(kept_back)[1] == 0x0C
        assert "BT05" not in bench.settings.kept


def test_reflection_of_answers():
    """What the device said, sent back to it as a request."""
    for mode in MODES:
        bench = Bench(mode=mode)
        answers = []
        for k, command in enumerate((WRITE_NAME, READ_NAME, READ_IDENTITY, READ_LONG)):
            answers.append(bench.send(bench.client.request(command, NUMBER + k)))
        answers.append(bench.send(bench.client.request(WRITE_NAME, NUMBER)))  # 0C
        answers.append(bench.send(bytes(20)))  # 0B
        before = bench.state()
        for answer in answers:
            answer_to_it = bench.send(answer)
            assert is_refused(bench, answer_to_it, answer)
        assert bench.state() == before


def test_reflection_of_requests():
    """What a concentrator said, sent back to it as the answer."""
    for mode in MODES:
        for command in (WRITE_NAME, READ_NAME, READ_IDENTITY, READ_LONG, b"\x30\x00\x00"):
            bench = Bench(mode=mode)
            request = bench.client.request(command, NUMBER)
            assert not is_taken(bench.client, request)
            assert is_taken(bench.client, bench.send(request))


def test_swapped_answers():
    """Each answer is that of its request and of no other."""
    for mode in MODES:
        bench = Bench(mode=mode)
        commands = (READ_NAME, READ_NAME, READ_IDENTITY, READ_LONG, WRITE_NAME, WRITE_NAME)
        exchanges = []
        for k, command in enumerate(commands):
            who = client(mode, KEY)
            request = who.request(command, NUMBER + k)
            exchanges.append((who, bench.send(request)))
        for number in (NUMBER - 8, NUMBER - 9):  # two refusals with the same number in them
            who = client(mode, KEY)
            exchanges.append((who, bench.send(who.request(READ_LONG, number))))
        for i, (who, _) in enumerate(exchanges):
            for k, (_, answer) in enumerate(exchanges):
                assert is_taken(who, answer) == (i == k), (mode, i, k)


def test_answers_of_a_namesake():
    """Another device with the same key, or the same address, answers for itself only."""
    for mode in MODES:
        bench = Bench(mode=mode)
        for key, subnet, node in ((KEY, 2, 3), (KEY, 3, 2), (b"\xde" + KEY[1:], 2, 2)):
            request = client(mode, key, subnet, node).request(READ_NAME, NUMBER)
            assert is_refused(bench, bench.send(request), request)
    bench = Bench(mode=AES)
    who = aes_client.Client(KEY, b"others", SUBNET, NODE)
    answer = bench.send(who.request(READ_NAME, NUMBER))
    assert not is_taken(who, answer)  # who has the one device's answer knows it from the other's


def test_every_bit_of_a_request():
    for mode in MODES:
        for command in (READ_NAME, WRITE_NAME):
            bench = Bench(mode=mode)
            before = bench.state()
            request = bytearray(bench.client.request(command, NUMBER))
            for bit in range(8, 8 * len(request)):
                request[bit >> 3] ^= 1 << (bit & 7)
                answer = bench.send(bytes(request))
                assert is_refused(bench, answer, bytes(request)), (mode, bit)
                request[bit >> 3] ^= 1 << (bit & 7)
            assert bench.state() == before
            assert bench.client.request(command, NUMBER) == request
            assert is_taken(bench.client, bench.send(bytes(request)))


def test_every_bit_of_an_answer():
    for mode in MODES:
        for command, number in ((READ_NAME, NUMBER), (WRITE_NAME, NUMBER), (READ_NAME, 5)):
            bench = Bench(mode=mode)
            answer = bytearray(bench.send(bench.client.request(command, number)))
            assert is_taken(bench.client, answer)
            for bit in range(8, 8 * len(answer)):
                answer[bit >> 3] ^= 1 << (bit & 7)
                assert not is_taken(bench.client, answer), (mode, number, bit)
                answer[bit >> 3] ^= 1 << (bit & 7)


def test_every_length_of_a_request():
    for mode in MODES:
        bench = Bench(mode=mode)
        before = bench.state()
        request = bench.client.request(WRITE_NAME, NUMBER)
        for n in range(1, len(request)):
            for part in (request[:n], b"\x00" + request[-n:], request[:n] + request[n + 1 :]):
                if part != request:
                    assert is_refused(bench, bench.send(part), part), (mode, n)
        for n in range(1, 60):
            for tail in (bytes(n), bytes(noise(n)), request[:n]):
                for longer in (request + tail, request[:-8] + tail + request[-8:]):
                    assert is_refused(bench, bench.send(longer), longer), (mode, n)
        assert bench.state() == before


def test_every_length_of_an_answer():
    for mode in MODES:
        bench = Bench(mode=mode)
        answer = bench.send(bench.client.request(READ_NAME, NUMBER))
        for n in range(len(answer)):
            assert not is_taken(bench.client, answer[:n])
            assert not is_taken(bench.client, answer[: n + 1] + answer[n:])
        for n in range(1, 40):
            assert not is_taken(bench.client, answer + bytes(n))
            assert not is_taken(bench.client, answer[:-8] + bytes(n) + answer[-8:])


def test_octets_of_one_request_in_another():
    """Tags and numbers of good requests on other commands."""
    for mode in MODES:
        bench = Bench(mode=mode)
        requests = [bench.client.request(READ_NAME, NUMBER + k) for k in range(4)]
        requests.append(bench.client.request(READ_IDENTITY, NUMBER))
        before = bench.state()
        for one in requests:
            for other in requests:
                if one is not other:
                    for cut in (4, 8, 10, 12):
                        mixed = one[:-cut] + other[-cut:]
                        if mixed not in requests:
                            assert is_refused(bench, bench.send(mixed), mixed)
        assert bench.state() == before


def test_a_refusal_is_no_oracle_for_another():
    """In mode 2 anybody has 0Bs proved for octets that he chooses. None of them is a 0C: its CMAC
    is over the answer first."""
    bench = Bench(mode=AES)
    request = bench.client.request(READ_NAME, NUMBER)
    raised = b"\xff\xff\x00\x0b"  # the number that he would like the concentrator to go on at
    asked = request + b"\x00\x0c" + raised[:2]
    tag = bench.send(asked)[-8:]
    assert not is_taken(bench.client, b"\x00\x0c" + raised + tag)
    assert not is_taken(bench.client, b"\x00\x0b" + tag)

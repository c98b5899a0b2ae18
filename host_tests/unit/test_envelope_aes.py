"""Security mode 2 from the outside: octets made by another library, then a client written from
the description."""

import aes_client
from osgp.security import broadcast
from secured import (
    AES,
    BASE,
    BODY,
    BROADCAST_KEY,
    DELTA,
    KEY,
    LEGACY,
    NUMBER,
    READ_IDENTITY,
    READ_NAME,
    UID,
    WRITE_NAME,
    Bench,
    client,
)
from support import noise, unhex

# Made by AESCCM and CMAC of the package `cryptography`; host_tests/tools/test_aes_vectors.py makes
# them again. Key 00 01 .. 0F, UID 050100A4B2C3, subnet 5, node 9, sequence number 01020304.
MASTER_KEY = bytes(range(16))
SEQUENCE = 0x01020304
VECTORS = (
    # command, request, answer in clear, answer
    (
        "30 0003",
        "00 0D2FE6 01020304 9CC270918E6916E0",
        "00 000D 0020980031C300080000000000",
        "00 B77B9DA644BC1B848F94270C17E11486 D167417CA429A3AF",
    ),
    (
        "40 0005 000A 74656E206F6374657473",
        "00 7D2FE0C5299858B6E53E4D1AC97D11 01020304 966C7163BD921DD2",
        "00",
        "00 B7 520FFD513D890CDD",
    ),
)
# of the first request
REFUSALS = ("000B 4CE1EC763B532B4B", "000C 01020305 5BDB7C28FE95F575")
BROADCAST = "00 BABA4C0DD16176756E 01020304 F72E04178605BE9B"
BROADCAST_COMMAND = "40 081B 0004 666F7572"


def published(number=SEQUENCE, key=MASTER_KEY):
    """A device as the vectors have it."""
    bench = Bench(number, mode=AES)
    draft = bench.member.draft()
    draft[20:36] = key
    draft[36:52] = key
    bench.member.set_domain(draft, 0, 6, b"domain", 5, 9)
    bench.member.commit(draft)
    bench.client = client(AES, key, 5, 9)
    return bench


def test_the_vectors():
    for command, request, clear, answer in VECTORS:
        bench = published()
        assert bench.client.request(unhex(command), SEQUENCE) == unhex(request)
        assert bench.send(unhex(request)) == unhex(answer)
        assert bench.client.answer(unhex(answer)) == unhex(clear)


def test_the_vectors_of_refusals():
    request = unhex(VECTORS[0][1])
    bench = published(SEQUENCE + 1)
    assert bench.send(request) == unhex(REFUSALS[1])
    bench.counter.ready = False
    assert bench.send(request) == unhex(REFUSALS[0])


def test_the_vector_of_a_broadcast():
    bench = published()
    buf = bytearray(unhex(BROADCAST))
    draft = broadcast.run(bench.envelope, buf, 0, len(buf))
    assert draft == bench.member.draft()
    assert buf[1:-12] == unhex(BROADCAST_COMMAND)
    assert aes_client.broadcast(MASTER_KEY, unhex(BROADCAST_COMMAND), SEQUENCE) == unhex(BROADCAST)


def test_read_and_write():
    bench = Bench(mode=AES)
    request = bench.client.request(READ_IDENTITY, NUMBER)
    assert request[4:8] == NUMBER.to_bytes(4, "big")
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


def test_every_length_of_a_command():
    for n in range(1, 76):
        bench = Bench(mode=AES)
        text = bytes(noise(n, n + 1))
        answer = bench.ask(b"\x40\x00\x05" + n.to_bytes(2, "big") + text, NUMBER)
        assert answer == b"\x00", n
        assert bench.settings.kept["BT05"] == (text + bytes(10))[:10]


def test_wrong_lengths_are_answered_as_wrong_tags():
    bench = Bench(mode=AES)
    before = bench.state()
    for surplus in (1, 2, -1, 9):
        request = bench.client.request(WRITE_NAME, NUMBER, surplus=surplus)
        assert bench.client.answer(bench.send(request)) == b"\x0b"
    assert bench.state() == before
    assert bench.envelope.bad_lengths == 4


def test_wrong_numbers_are_told_the_right_one():
    bench = Bench(mode=AES)
    for number in (NUMBER - 1, 0, NUMBER + 8, 0xFFFFFFFF):
        answer = bench.send(bench.client.request(WRITE_NAME, number))
        assert answer[:6] == b"\x00\x0c" + NUMBER.to_bytes(4, "big")
        assert bench.client.answer(answer) == answer[1:6]
    assert "BT05" not in bench.settings.kept
    assert bench.ask(WRITE_NAME, NUMBER + 7) == b"\x00"


def test_wrong_ones_are_answered_thirty_times_and_right_ones_always():
    bench = Bench(mode=AES)
    wrong = bytes(20)
    for _ in range(30):
        assert bench.client.answer(bench.send(wrong), wrong) == b"\x0b"
    for _ in range(3):
        assert bench.send(wrong) == b""
    assert bench.ask(WRITE_NAME, NUMBER) == b"\x00"
    assert bench.client.answer(bench.send(wrong), wrong) == b"\x0b"


def test_clear_is_never_taken():
    bench = Bench(mode=AES)
    bench.envelope.encrypted = False  # ET04.12.3 is of mode 0
    legacy = client(LEGACY, KEY)
    for encrypted in (True, False):
        request = legacy.request(WRITE_NAME, NUMBER, encrypted)
        assert bench.client.answer(bench.send(request), request) == b"\x0b"
    request = WRITE_NAME + NUMBER.to_bytes(4, "big") + bytes(8)
    assert bench.client.answer(bench.send(b"\x00" + request), b"\x00" + request) == b"\x0b"
    assert bench.ask(WRITE_NAME, NUMBER) == b"\x00"


def test_the_keys_wait_for_the_transceiver_s_id():
    bench = Bench(mode=AES)
    uid = bytearray(6)
    bench.envelope.uid = uid
    bench.envelope.suite = bench.envelope.make(KEY)
    uid[:] = UID
    assert bench.ask(READ_NAME, NUMBER)[0] == 0
    uid[5] ^= 1  # another transceiver
    request = bench.client.request(READ_NAME, NUMBER + 1)
    assert bench.send(request)[:2] == b"\x00\x0b"
    uid[5] ^= 1
    assert bench.ask(READ_NAME, NUMBER + 1)[0] == 0


def test_a_member_of_another_mode():
    bench = Bench()
    modules = []
    for mode in (AES, LEGACY, AES):
        draft = bench.member.draft()
        draft[1] = mode
        bench.member.commit(draft)
        other = client(AES - mode, KEY)
        number = bench.counter.hi << 16 | bench.counter.lo
        assert bench.send(other.request(READ_NAME, number))[:2] == b"\x00\x0b"
        bench.client = client(mode, KEY)
        assert bench.ask(READ_NAME, number)[0] == 0
        modules.append(bench.envelope.module)
    assert modules[0] is not modules[1]
    bench.envelope.rekey()
    assert bench.envelope.module is modules[2]  # nothing is loaded without need


def opened(bench, apdu):
    buf = bytearray(apdu)
    draft = broadcast.run(bench.envelope, buf, 0, len(buf))
    return draft, bytes(buf[1:-12])


def broadcast_of(mode, key, command, number):
    if mode == AES:
        return aes_client.broadcast(key, command, number)
    return client(LEGACY, key, 0, 0).request(command, number)


def test_broadcasts():
    for mode in (LEGACY, AES):
        bench = Bench(mode=mode)
        good = broadcast_of(mode, BROADCAST_KEY, WRITE_NAME, BASE)
        draft, command = opened(bench, good)
        assert command == WRITE_NAME
        assert draft[54:60] == bytes((0, 0, 0, BASE, 0, DELTA))
        assert bench.envelope.uses == [0, 0, 1, 0]
        for k in range(len(good)):
            wrong = bytearray(good)
            wrong[k] ^= 0x20
            if k:  # that of the code is not looked at here
                assert opened(bench, wrong)[0] is None, k
        for wrong in (
            broadcast_of(mode, KEY, WRITE_NAME, BASE),
            bench.client.request(WRITE_NAME, BASE),  # under the broadcast key no request is good
            client(mode, BROADCAST_KEY).request(WRITE_NAME, BASE),
            good[:-1],
            good[:16],
            good[:15],
            b"",
        ):
            assert opened(bench, wrong)[0] is None
        assert bench.envelope.failures == 0


def test_a_broadcast_is_no_request():
    for mode in (LEGACY, AES):
        bench = Bench(mode=mode)
        draft = bench.member.draft()
        draft[20:36] = BROADCAST_KEY
        bench.member.commit(draft)
        apdu = broadcast_of(mode, BROADCAST_KEY, WRITE_NAME, NUMBER)
        assert bench.send(apdu)[:2] == b"\x00\x0b"
        assert "BT05" not in bench.settings.kept

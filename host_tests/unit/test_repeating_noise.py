"""Whatever comes to repeat, to find or as an answer: nothing raises, and the device goes on.

MicroPython has the same noise; hypothesis looks further.
"""

import ticks
from lon_support import lpdu, uplink
from node_support import AWAKE, Bench
from osgp.membership import KEYS
from repeating_support import add_discovery, add_repeater
from support import noise, unhex

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

REQUEST = unhex("01 1A 01 85 05 89 C0FFEE 08")  # of 1/5 to us, transaction 8
ANSWER = unhex("00 1A 07 8C 05 89 C0FFEE")  # of 7/12, then SPDU or TPDU
ACK = unhex("00 0A 07 8C 05 89 C0FFEE")
CHALLENGE = unhex("00 2A 07 8C 05 89 C0FFEE")
TO_US = unhex("00 3F 01 FF 00 040000112233 4F5347500000")
TO_ALL = unhex("00 33 01 FF 00 4F5347500000")
HOUR_MS = 3600000
GOOD = unhex("4D 01 07 0C 3B 2C 3B 08 0D 51")


def device():
    """That repeats, finds, and has keys."""
    made = Bench()
    add_repeater(made.node)
    add_discovery(made.node)
    draft = made.member.draft()
    draft[KEYS : KEYS + 6] = b"\x01\x02\x03\x04\x05\x06"
    made.member.commit(draft)
    return made


def survives(frames):
    """Plays frames 50 ms apart; then everything ends, and a message is still repeated."""
    made = device()
    now = AWAKE
    for frame in frames:
        made.octets(uplink(lpdu(frame)), now)
        now += 50
    senders = made.node.senders
    for _ in range(200):  # every retry and every slot there may be
        wait = min(ticks.diff(sender.due(now), now) for sender in senders)
        if wait > HOUR_MS:
            break
        now += max(wait, 1)
        made.settle(now)
    else:
        raise AssertionError("it never comes to an end")
    made.chip.frames.clear()
    assert len(made.hear(REQUEST + GOOD, now)) == 1


def test_noise_to_repeat():
    octets = iter(noise(20000, 1))
    for length in range(30):
        frames = []
        for _ in range(4):
            rest = bytes([next(octets) for _ in range(length)])
            frames.append(REQUEST[:-1] + bytes((next(octets) & 15,)) + b"\x4d" + rest)
        survives(frames)


def test_noise_instead_of_an_answer():
    octets = iter(noise(20000, 2))
    for head in (ANSWER, ACK, CHALLENGE):
        for length in range(1, 14):
            frames = [REQUEST + GOOD]
            for _ in range(5):
                rest = bytes([next(octets) for _ in range(length - 1)])
                frames.append(head + bytes((next(octets) & 0xF0 | 8,)) + rest)
            survives(frames)


def test_noise_in_discovery():
    octets = iter(noise(20000, 3))
    path = unhex("21 0102") + unhex("0400AABBCCDD 040000112233 0400AABBCCDD 040000112233")
    for code in (b"\x45", b"\x4a"):
        for length in range(40):
            rest = bytes([next(octets) for _ in range(length)])
            sub = bytes((1 + (length & 1),))
            cut = bytes(8)[: 7 + (length & 1)] + path[:length]
            survives([TO_US + code + rest, TO_ALL + code + rest, TO_US + code + sub + cut])


if given:
    heads = st.sampled_from((REQUEST + b"\x4d", ANSWER + b"\x28", ACK + b"\x28", CHALLENGE))
    found = st.sampled_from((TO_US + b"\x45", TO_ALL + b"\x45\x01", TO_US + b"\x4a", TO_US))
    frame = st.tuples(st.one_of(heads, found), st.binary(max_size=40))

    @given(st.lists(frame, max_size=5))
    def test_any_octets(frames):
        survives([head + rest for head, rest in frames])

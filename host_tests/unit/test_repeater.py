"""Directed repeating: `lon.md` 3, octets of an independent stack first.

The repeater is 5/9 in C0FFEE, its peers are 1/5 before and x/y behind it.
"""

import ticks
from node_support import AWAKE, Bench
from osgp.kernels import digest, digest_pad
from osgp.lon.repeater import BUSY
from osgp.membership import KEYS, UNCONFIGURED
from repeating_support import add_repeater
from support import unhex

REQUEST = "01 1A 01 85 05 89 C0FFEE 08 "  # of 1/5 to us, transaction 8
BACK = "00 1A 05 89 01 85 C0FFEE 28 "  # our answer to it
AGENT_1 = " 2C 1B "  # request by the agent, 1 retry, 768 ms, to subnet and node
TIMER_MS = 768  # code 11
LATER = AWAKE + 100


def bench(**options) -> Bench:
    made = Bench(**options)
    made.repeater = add_repeater(made.node)
    return made


def heard(made, frame, now=AWAKE) -> list:
    """What is sent because of a frame."""
    return [out.hex() for out in made.hear(unhex(frame), now)]


def plain(frame) -> str:
    return unhex(frame).hex()


def sent(made, now) -> list:
    """What is sent by itself at `now`."""
    made.settle(now)
    out, made.chip.frames = made.chip.frames, []
    return [frame.hex() for frame in out]


def sends(message, frame, back=None):
    """Does `message` (of 1/5, transaction 8) make us send exactly this frame?"""
    out = heard(bench(), REQUEST + message)
    assert out == [plain(frame)], out


# ---- observed from an independent stack


def test_agent():
    sends("4D 00 2C 3B 07 0C 51", "01 1A 05 89 07 8C C0FFEE 08 51")


def test_one_hop():
    sends(
        "4D 01 07 0C 3B 2C 3B 08 0D 51",
        "01 1A 05 89 07 8C C0FFEE 08 4D 00 2C 3B 08 0D 51",
    )


def test_two_hops_uniform_by_destination():
    sends(
        "4D 82 0C 8D 3B 2C 3B 08 0D 51",
        "01 1A 05 89 05 8C C0FFEE 08 4D 81 8D 3B 2C 3B 08 0D 51",
    )


def test_uniform_by_source_alternate_path():
    sends(
        "4D 12 8C 0D 3B 2C 3B 08 0D 51",
        "41 1A 05 89 01 8C C0FFEE 08 4D 11 0D 3B 2C 3B 08 0D 51",
    )


def test_agent_by_unique_id():
    sends(
        "4D 00 CC 3B 0400AABBCCDD 61 00",
        "01 1E 05 89 00 0400AABBCCDD C0FFEE 08 61 00",
    )


def test_agent_broadcasts_unacknowledged():
    out = heard(bench(), REQUEST + "4D 00 68 1B 00 00 12 EE")
    assert out == [plain("00 32 05 89 00 C0FFEE 12 EE"), plain(BACK + "4D")]


def test_agent_hears_nobody():
    made = bench()
    first = heard(made, REQUEST + "4D 00" + AGENT_1 + "07 0C 51")
    assert sent(made, AWAKE + TIMER_MS - 1) == []
    assert sent(made, AWAKE + TIMER_MS) == first
    assert sent(made, AWAKE + 2 * TIMER_MS - 1) == []
    assert sent(made, AWAKE + 2 * TIMER_MS) == [plain(BACK + "4C 00")]


# ---- the way back


def test_the_answer_goes_back_as_it_is():
    made = bench()
    heard(made, REQUEST + "4D 00 2C 3B 07 0C 51")
    answer = "31 0102030405060708090A0B0C0D0E0F"
    out = heard(made, "00 1A 07 8C 05 89 C0FFEE 28 " + answer)
    assert out == [plain(BACK + answer)]
    assert sent(made, AWAKE + 60000) == []


def test_the_target_acknowledges():
    made = bench()
    out = heard(made, REQUEST + "4D 00 20 3B 07 0C 12 EE")
    assert out == [plain("01 0A 05 89 07 8C C0FFEE 08 12 EE")]
    assert heard(made, "00 0A 07 8C 05 89 C0FFEE 28") == [plain(BACK + "4D")]


def test_an_answer_of_somebody_else_is_none():
    made = bench()
    heard(made, REQUEST + "4D 00 2C 3B 07 0C 51")
    assert heard(made, "00 1A 07 8D 05 89 C0FFEE 28 31") == []
    assert heard(made, "00 1A 07 8C 05 89 C0FFEE 29 31") == []
    assert heard(made, "00 0A 07 8C 05 89 C0FFEE 28") == []
    assert made.node.outgoing.stray == 2
    assert heard(made, "00 1A 07 8C 05 89 C0FFEE 28 31") == [plain(BACK + "31")]
    assert heard(made, "00 1A 07 8C 05 89 C0FFEE 28 31") == []  # the second of it


def test_a_device_without_an_address_answers():
    made = bench()
    heard(made, REQUEST + "4D 00 CC 3B 0400AABBCCDD 61 00")
    assert heard(made, "00 1A 00 80 05 89 C0FFEE 28 21") == [plain(BACK + "21")]


def test_a_failure_behind_comes_back():
    made = bench()
    heard(made, REQUEST + "4D 01 07 0C 3B 2C 3B 08 0D 51")
    assert heard(made, "00 1A 07 8C 05 89 C0FFEE 28 4C 00") == [plain(BACK + "4C 00")]


def test_a_repetition_while_under_way_is_not_sent_again():
    made = bench()
    message = REQUEST + "4D 00 2C 3B 07 0C 51"
    assert len(heard(made, message)) == 1
    assert heard(made, message, LATER) == []
    heard(made, "00 1A 07 8C 05 89 C0FFEE 28 31", LATER)
    assert heard(made, message, LATER) == [plain(BACK + "31")]


def test_a_served_message_is_remembered_for_long():
    made = bench()
    message = REQUEST + "4D 00 2C 3B 07 0C 51"
    heard(made, message)
    heard(made, "00 1A 07 8C 05 89 C0FFEE 28 31")
    for seconds in (8, 16, 24):
        assert heard(made, message, AWAKE + seconds * 1000) == [plain(BACK + "31")]
    assert heard(made, message, AWAKE + 25000) != [plain(BACK + "31")]


# ---- services and timing of a repeater


def test_the_service_goes_on():
    """Acknowledged, unacknowledged: by that by which it came."""
    made = bench()
    out = heard(made, "01 0A 01 85 05 89 C0FFEE 03 4D 01 07 0C 3B 20 3B 08 0D 12")
    assert out == [
        plain("00 0A 05 89 01 85 C0FFEE 23"),
        plain("01 0A 05 89 07 8C C0FFEE 03 4D 00 20 3B 08 0D 12"),
    ]
    assert heard(made, "00 0A 07 8C 05 89 C0FFEE 23") == []
    out = heard(made, "00 3A 01 85 05 89 C0FFEE 4D 01 07 0C 3B 20 3B 08 0D 12")
    assert out == [plain("00 3A 05 89 07 8C C0FFEE 4D 00 20 3B 08 0D 12")]
    assert sent(made, AWAKE + 60000) == []


def test_repeated_service():
    made = bench()
    out = heard(made, "02 0A 01 85 05 89 C0FFEE 13 4D 01 07 0C 28 20 3B 08 0D 12")
    body = " 0A 05 89 07 8C C0FFEE 13 4D 00 20 3B 08 0D 12"
    assert out == [plain("02" + body)]  # the backlog: its two repetitions
    assert sent(made, AWAKE + 256) == [plain("00" + body)]
    assert sent(made, AWAKE + 512) == [plain("00" + body)]
    assert sent(made, AWAKE + 60000) == []


def failure_after(message) -> int:
    """ms from the only try to the failure."""
    made = bench()
    heard(made, REQUEST + message)
    now = AWAKE
    while True:
        due = made.node.outgoing.due(now)
        assert ticks.diff(due, now) < 1000000
        now = due
        out = sent(made, now)
        if out:
            assert out[0].endswith("4c0" + message[4]), out
            return now - AWAKE


def test_the_last_wait():
    """256 ms; with a timer of 256 ms or more as much for each hop to come, from 512 ms on 512."""
    assert failure_after("4D 02 0701 0702 07 2C 3B 08 0D 51") == 192 + 256
    assert failure_after("4D 03 0701 0702 0703 08 2C 3B 08 0D 51") == 256 + 2 * 256
    assert failure_after("4D 03 0701 0702 0703 0A 2C 3B 08 0D 51") == 512 + 2 * 512
    assert failure_after("4D 01 0701 0B 2C 3B 08 0D 51") == 768
    assert failure_after("4D 42 0701 0702 02 2C 3B 08 0D 51") == 8192 + 512  # long timer


def test_fifteen_further_hops():
    hops = "".join("%02X" % (k + 20) for k in range(15))
    out = heard(bench(), REQUEST + "4D 8F" + hops + "3B 2C 3B 08 0D 51")
    assert out == [plain("01 1A 05 89 05 94 C0FFEE 08 4D 8E" + hops[2:] + "3B 2C 3B 08 0D 51")]


def test_the_largest_message():
    rest = "00" * (160 - 9)
    out = heard(bench(), REQUEST + "4D 01 07 0C 3B 2C 3B 08 0D" + rest)
    assert out == [plain("01 1A 05 89 07 8C C0FFEE 08 4D 00 2C 3B 08 0D" + rest)]


# ---- targets


def test_targets_of_all_types():
    sends("4D 00 EC 3B 0C 51", "01 1A 05 89 05 8C C0FFEE 08 51")  # node in our subnet
    sends("4D 00 AC 3B 0C 51", "01 1A 05 89 01 8C C0FFEE 08 51")  # in the source's
    sends("4D 00 4C 3B 07 0400AABBCCDD 51", "01 1E 05 89 07 0400AABBCCDD C0FFEE 08 51")
    sends("4D 00 6C 3B 03 04 51", "04 12 05 89 03 C0FFEE 08 51")  # subnet 3, backlog 4
    sends("4D 00 84 3B 77 51", "03 06 05 89 77 C0FFEE 18 51")  # a group, repeated
    sends("4D 00 00 3B 77 03 51", "03 06 05 89 77 C0FFEE 08 51")  # of three, acknowledged


def test_the_agent_is_done_with_its_last_repetition():
    made = bench()
    heard(made, REQUEST + "4D 00 64 28 00 00 12 EE")  # broadcast, 2 more after 256 ms each
    assert len(sent(made, AWAKE + 256)) == 1
    assert sent(made, AWAKE + 512) == [plain("00 02 05 89 00 C0FFEE 18 12 EE"), plain(BACK + "4D")]


def test_modes_and_the_second_carrier():
    made = bench()
    heard(made, REQUEST + "4D 00 3D 3B 07 0C 51")  # path, zero-cross
    assert made.chip.commands[-1] == 0x12 | 0x08
    made = bench()
    out = heard(made, REQUEST + "4D 00 3F 3B 07 0C 51")  # path, attenuated
    assert made.chip.commands[-1] == 0x12 | 0x04
    assert out == [plain("41 1A 05 89 07 8C C0FFEE 08 51")]


def test_priority_has_a_space_of_its_own():
    made = bench()
    heard(made, REQUEST + "4D 00 2C 3B 07 0C 51")
    out = heard(made, "81 1A 01 85 05 89 C0FFEE 05 4D 00 2C 3B 07 0D 52")
    assert out == [plain("81 1A 05 89 07 8D C0FFEE 05 52")]
    assert heard(made, "80 1A 07 8D 05 89 C0FFEE 25 32") == [
        plain("80 1A 05 89 01 85 C0FFEE 25 32")
    ]
    assert heard(made, "00 1A 07 8C 05 89 C0FFEE 28 31") == [plain(BACK + "31")]


def test_an_agent_asked_without_a_transaction_takes_its_own_number():
    made = bench()
    for number in ("00", "01"):
        out = heard(made, "00 3A 01 85 05 89 C0FFEE 4D 00 20 3B 07 0C 12")
        assert out == [plain("01 0A 05 89 07 8C C0FFEE" + number + "12")]
        assert heard(made, "00 0A 07 8C 05 89 C0FFEE 2" + number[1]) == []


def test_the_flexible_domain_goes_on_in_the_first():
    made = bench()
    out = heard(made, "01 1C 01 85 00 040000112233 08 4D 01 07 0C 3B 2C 3B 08 0D 51")
    assert out == [plain("01 1A 05 89 07 8C C0FFEE 08 4D 00 2C 3B 08 0D 51")]
    out = heard(made, "00 1A 07 8C 05 89 C0FFEE 28 31")
    assert out == [plain("00 18 00 80 01 85 28 31")]


RANDOM = unhex("0011223344556677")
KEY = unhex("0102030405AA")


def reply(key, apdu) -> str:
    """To the challenge RANDOM."""
    state = bytearray(RANDOM)
    data = bytes(reversed(apdu))
    digest_pad(state, key, digest(state, key, 0, data, 0, len(data)))
    return state.hex()


def test_authentication_is_inherited():
    """We challenge who asks, the target challenges us; and in mode 2 the message brings along what
    is to be added to our key."""
    for message, ours in (
        ("4D 00 2C 3B 07 0C 4101020304", KEY),
        ("4D 00 2E 3B 00 0000000000FF 07 0C 4101020304", unhex("0102030405A9")),
    ):
        made = bench()
        draft = made.member.draft()
        draft[KEYS : KEYS + 6] = KEY
        made.member.commit(draft)
        made.node.transport.random = lambda n: RANDOM[:n]
        out = heard(made, "01 1A 01 85 05 89 C0FFEE 88" + message)
        assert out == [plain("00 2A 05 89 01 85 C0FFEE 88") + RANDOM.hex()]
        out = heard(made, "00 2A 01 85 05 89 C0FFEE A8" + reply(KEY, unhex(message)))
        assert out == [plain("01 1A 05 89 07 8C C0FFEE 88 4101020304")]
        out = heard(made, "00 2A 07 8C 05 89 C0FFEE 88" + RANDOM.hex())
        assert out == [plain("00 2A 05 89 07 8C C0FFEE A8") + reply(ours, unhex("4101020304"))]
        assert heard(made, "00 1A 07 8C 05 89 C0FFEE 28 01") == [plain(BACK + "01")]


def test_all_agents():
    """A repeater sends the target's message itself as well, unacknowledged."""
    out = heard(bench(), REQUEST + "4D 21 07 0C 3B 68 3B 00 00 12 EE")
    assert out == [
        plain("00 32 05 89 00 C0FFEE 12 EE"),
        plain("01 1A 05 89 07 8C C0FFEE 08 4D 20 68 3B 00 00 12 EE"),
    ]


# ---- what is refused


def test_nobody_repeats_for_himself():
    assert heard(bench(), REQUEST + "4D 01 05 09 3B 2C 3B 08 0D 51") == [plain(BACK + "4C 01")]
    assert heard(bench(), REQUEST + "4D 00 2C 3B 05 09 51") == [plain(BACK + "4C 00")]
    assert heard(bench(), REQUEST + "4D 00 CC 3B 040000112233 51") == [plain(BACK + "4C 00")]


def test_what_is_cut_short_fails():
    message = unhex("4D 02 0701 0702 3B 2C 3B 08 0D 51")
    for n in range(5, len(message) - 1):  # what the agent needs is its own affair
        out = heard(bench(), REQUEST + message[:n].hex())
        assert out == [plain(BACK + "4C 02")], n
    for n in range(1, 5):
        assert heard(bench(), REQUEST + message[:n].hex()) == []


def test_an_unconfigured_node_repeats_nothing():
    made = bench(state=UNCONFIGURED)
    assert heard(made, "01 1C 01 85 00 040000112233 08 4D 01 07 0C 3B 2C 3B 08 0D 51") == []


def test_a_soft_offline_node_repeats():
    made = bench()
    made.node.management.online = False
    assert len(heard(made, REQUEST + "4D 00 2C 3B 07 0C 51")) == 1


def test_one_at_a_time():
    """Somebody else's message is refused as long as one is under way; the same sender's next one
    takes its place."""
    made = bench()
    heard(made, REQUEST + "4D 00 2C 3B 07 0C 51")
    out = heard(made, "01 1A 01 86 05 89 C0FFEE 03 4D 01 07 0D 3B 2C 3B 08 0D 51")
    assert out == [plain("00 1A 05 89 01 86 C0FFEE 23 4C") + "%02x" % (BUSY | 1)]
    out = heard(made, "01 1A 01 85 05 89 C0FFEE 09 4D 00 2C 3B 07 0D 52")
    assert out == [plain("01 1A 05 89 07 8D C0FFEE 09 52")]
    assert heard(made, "00 1A 07 8C 05 89 C0FFEE 28 31") == []  # the answer to the first
    out = heard(made, "00 1A 07 8D 05 89 C0FFEE 29 32")
    assert out == [plain("00 1A 05 89 01 85 C0FFEE 29 32")]


def test_the_sender_begins_something_else():
    """What was under way for him ends with an answer to nobody."""
    made = bench()
    heard(made, REQUEST + "4D 00 2C 3B 07 0C 51")
    heard(made, "01 1A 01 85 05 89 C0FFEE 09 51")
    assert heard(made, "00 1A 07 8C 05 89 C0FFEE 28 31") == []
    assert made.repeater.late == 1

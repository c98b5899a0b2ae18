"""This node's own transactions: `lon.md` 2. The node is 5/9 in C0FFEE."""

import rare
from node_support import AWAKE, Bench
from osgp.lon.npdu import BROADCAST, GROUP, SUBNET_NODE, UNIQUE_ID
from osgp.lon.outgoing import ACKD, IDLE, REQUEST, UNACKD, UNACKD_RPT
from osgp.membership import KEYS
from support import unhex

APDU = unhex("4101020304")
TIMER = 11  # code: 768 ms
TIMER_MS = 768


class User:
    """Who began them. `log`: the answers; None: it failed."""

    def __init__(self):
        self.log = []

    def answered(self, slot, buf, a, end, now):
        self.log.append(bytes(buf[a:end]))

    def failed(self, slot, now):
        self.log.append(None)


def begin(
    made, service=REQUEST, retries=3, form=SUBNET_NODE, to=(7, 12), priority=0, now=AWAKE, **fields
):
    """Send APDU; `to`: subnet and node. The slot, and what is sent at once."""
    outgoing = made.node.outgoing
    slot = outgoing.slots[priority]
    assert slot.state == IDLE
    made.user = User()
    slot.apdu[: len(APDU)] = APDU
    slot.apdu_n = len(APDU)
    for name, value in fields.items():
        setattr(slot, name, value)
    outgoing.address(slot, form, 0, to[0], to[1], unhex("0400AABBCCDD"), 0)
    number = rare.run("osgp.lon.numbers", outgoing, slot, now)
    outgoing.begin(slot, made.user, service, number, retries, TIMER, now)
    return sent(made, now)


def sent(made, now) -> list:
    made.settle(now)
    out, made.chip.frames = made.chip.frames, []
    return [frame.hex() for frame in out]


def heard(made, frame, now=AWAKE) -> list:
    return [out.hex() for out in made.hear(unhex(frame), now)]


def plain(frame) -> str:
    return unhex(frame).hex()


def tries(made, count: int) -> list:
    """The next `count` tries, each when its timer has run out, and not before."""
    found = []
    for k in range(1, count + 1):
        assert sent(made, AWAKE + k * TIMER_MS - 1) == []
        found += sent(made, AWAKE + k * TIMER_MS)
    return found


# ---- tries


def test_a_request_to_nobody():
    """The backlog of the first two tries; the alternate path of the last two."""
    made = Bench()
    body = " 1A 05 89 07 8C C0FFEE 00" + APDU.hex()
    assert begin(made) == [plain("01" + body)]
    assert tries(made, 3) == [plain(head + body) for head in ("01", "40", "40")]
    assert made.user.log == []
    assert tries(made, 4)[3:] == [] and made.user.log == [None]
    assert made.node.outgoing.slots[0].state == IDLE
    assert sent(made, AWAKE + 60000) == []


def test_a_request_that_is_answered():
    made = Bench()
    begin(made)
    heard(made, "00 1A 07 8C 05 89 C0FFEE 20 0102")
    assert made.user.log == [b"\x01\x02"]
    assert sent(made, AWAKE + 60000) == []


def test_an_answer_to_the_last_try():
    made = Bench()
    begin(made, retries=1)
    assert len(tries(made, 1)) == 1
    heard(made, "00 1A 07 8C 05 89 C0FFEE 20", AWAKE + 2 * TIMER_MS - 1)
    assert made.user.log == [b""]


def test_an_acknowledged_message():
    made = Bench()
    assert begin(made, ACKD) == [plain("01 0A 05 89 07 8C C0FFEE 00" + APDU.hex())]
    heard(made, "00 1A 07 8C 05 89 C0FFEE 20 01")  # a response is no acknowledgement
    assert made.user.log == []
    heard(made, "00 0A 07 8C 05 89 C0FFEE 20")
    assert made.user.log == [b""]


def test_a_repeated_message():
    made = Bench()
    body = " 0A 05 89 07 8C C0FFEE 10" + APDU.hex()
    assert begin(made, UNACKD_RPT, 2) == [plain("02" + body)]
    assert tries(made, 2) == [plain("00" + body)] * 2
    assert made.user.log == [b""]
    assert sent(made, AWAKE + 60000) == []


def test_an_unacknowledged_message():
    made = Bench()
    assert begin(made, UNACKD) == [plain("00 3A 05 89 07 8C C0FFEE" + APDU.hex())]
    assert made.user.log == [b""]


def test_addresses():
    tail = " C0FFEE 00" + APDU.hex()
    made = Bench()
    assert begin(made, form=UNIQUE_ID, to=(0, 0)) == [plain("01 1E 05 89 00 0400AABBCCDD" + tail)]
    heard(made, "00 1A 00 80 05 89 C0FFEE 20 21")  # it has no address, and answers so
    assert made.user.log == [b"\x21"]
    made = Bench()
    assert begin(made, form=BROADCAST, to=(5, 0), backlog=15) == [plain("0F 12 05 89 05" + tail)]
    made = Bench()
    assert begin(made, form=GROUP, to=(0x77, 0), size=3) == [plain("03 16 05 89 77" + tail)]


def test_priority():
    """A space of its own, with numbers of its own."""
    made = Bench()
    first = begin(made)
    user = made.user
    assert begin(made, priority=1) == [plain("81" + first[0][2:])]
    heard(made, "80 1A 07 8C 05 89 C0FFEE 20 02")
    assert made.user.log == [b"\x02"] and user.log == []
    heard(made, "00 1A 07 8C 05 89 C0FFEE 20 01")
    assert user.log == [b"\x01"]


def test_nothing_leaves_in_the_silence():
    made = Bench(awake=False)
    made.chip.frames.clear()  # the service pin, which may
    assert begin(made, now=100) == []
    assert made.node.outgoing.due(100) == 2000
    assert sent(made, 1999) == []
    assert len(sent(made, 2000)) == 1


# ---- transaction numbers


def test_numbers():
    """0 is the first after a start only; no destination gets the one it had last."""
    made = Bench()
    outgoing = made.node.outgoing
    slot = outgoing.slots[0]

    def number(node, now):
        outgoing.address(slot, SUBNET_NODE, 0, 7, node)
        return rare.run("osgp.lon.numbers", outgoing, slot, now)

    assert [number(1, 0) for _ in range(17)] == list(range(16)) + [1]
    assert [number(k, 10) for k in range(2, 15)] == list(range(2, 15))
    assert number(1, 10) == 15
    assert [number(2, 10) for _ in range(14)] == list(range(1, 15))
    assert number(1, 10) == 1  # 15 was its last
    slot.number = 15 - 1
    assert number(1, 24585) == 15
    slot.number = 14
    assert number(1, 24585) == 1  # not 15 again
    slot.number = 15
    assert number(1, 24585 + 24576) == 1  # but that is forgotten by then


# ---- groups


GROUP_TAIL = " 16 05 89 77 C0FFEE "


def member(made, number, now) -> list:
    """An acknowledgement of a member: format 2b."""
    return heard(made, "00 0A 07 %02X 05 89 77 %02X C0FFEE 20" % (number + 1, number), now)


def test_a_group_acknowledges():
    made = Bench()
    out = begin(made, ACKD, form=GROUP, to=(0x77, 0), size=3)
    assert out == [plain("03 06 05 89 77 C0FFEE 00" + APDU.hex())]
    for number in (0, 2, 2):
        member(made, number, AWAKE)
        assert made.user.log == []
    member(made, 1, AWAKE)
    assert made.user.log == [b""]


def test_a_group_is_reminded():
    """The list of who has been heard: in REM/MSG up to two octets, else ahead of the message."""
    made = Bench()
    begin(made, ACKD, form=GROUP, to=(0x77, 0), size=20)
    member(made, 0, AWAKE)
    member(made, 9, AWAKE)
    out = sent(made, AWAKE + TIMER_MS)
    assert out == [plain("12 06 05 89 77 C0FFEE 50 02 0102" + APDU.hex())]
    member(made, 17, AWAKE + TIMER_MS)
    out = sent(made, AWAKE + 2 * TIMER_MS)
    assert out == [
        plain("00 06 05 89 77 C0FFEE 40 03 010202"),
        plain("51 06 05 89 77 C0FFEE 00" + APDU.hex()),
    ]


def test_a_group_of_which_we_are_one():
    made = Bench()
    draft = made.member.draft()
    made.member.set_address(draft, 3, unhex("83 05 00 B0 77"))
    made.member.commit(draft)
    begin(made, ACKD, form=GROUP, to=(0x77, 0), size=3)
    member(made, 0, AWAKE)
    assert made.user.log == []
    member(made, 1, AWAKE)
    assert made.user.log == [b""]


# ---- challenges (vectors of lon.md 2)

CHALLENGE = " 2A 07 8C 05 89 C0FFEE "
RANDOM = " 0011223344556677"


def keyed(oma=False) -> Bench:
    made = Bench()
    draft = made.member.draft()
    draft[KEYS : KEYS + 12] = unhex("0102030405AA 1112131415BB")
    if oma:
        draft[2] |= 0x08
    made.member.set_domain(draft, 0, 3, b"\xc0\xff\xee\0\0\0", 5, 9)
    made.member.commit(draft)
    return made


def test_a_challenge_is_answered():
    made = keyed()
    assert begin(made, auth=0x80)[0][-12:] == "80" + APDU.hex()
    out = heard(made, "00" + CHALLENGE + "80" + RANDOM)
    assert out == [plain("00 2A 05 89 07 8C C0FFEE A0 8D32733E9B8F4F36")]
    heard(made, "00 1A 07 8C 05 89 C0FFEE 20 01")
    assert made.user.log == [b"\x01"]


def test_oma():
    """The destination is part of it."""
    made = keyed(oma=True)
    begin(made, auth=0x80, to=(5, 8))
    out = heard(made, "00 2A 05 88 05 89 C0FFEE 90" + RANDOM)
    assert out[0][:20] == plain("00 2A 05 89 05 88 C0FFEE B0")
    assert out[0][20:] == oma_reply(made, unhex("C0FFEE000000 03 05 08"))
    assert oma_reply(made, unhex("C0FFEE000000 03 05 09")) == plain("B697AC656464EBD8")
    assert oma_reply(made, unhex("040000112233 FFFFFF")) == plain("BA2BE5DA6AC8624B")


def oma_reply(made, address) -> str:
    """By the primitive alone."""
    from osgp.kernels import digest, digest_pad

    key = made.member.image[KEYS : KEYS + 12]
    data = bytes(reversed(address + APDU))
    state = bytearray(unhex(RANDOM))
    digest_pad(state, key, digest(state, key, 0, data, 0, len(data)))
    return state.hex()


def test_a_challenge_for_something_else():
    for frame in (
        "00" + CHALLENGE + "81" + RANDOM,  # another number
        "00" + CHALLENGE + "C0" + RANDOM,  # of a message by unique id
        "00" + CHALLENGE + "80" + RANDOM[:-2],  # cut short
        "00 2A 07 8D 05 89 C0FFEE 80" + RANDOM,  # from somebody else
    ):
        made = keyed()
        begin(made, auth=0x80)
        assert heard(made, frame) == []
    made = Bench()  # without a key
    begin(made, auth=0x80)
    assert heard(made, "00" + CHALLENGE + "80" + RANDOM) == []

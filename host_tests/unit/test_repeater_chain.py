"""Sixteen nodes in a row repeat a read, there and back; and a search, when nobody is a member."""

from chain_support import AWAKE, CONCENTRATOR, Chain, unique_id
from osgp.kernels import copy
from support import unhex

HOPS = 16  # repeaters, the agent among them
FIRST = unhex("01 1A 01 FF 05 81 C0FFEE 03")  # 1/127 to 5/1, request 3
BACK = unhex("00 1A 05 81 01 FF C0FFEE 23")
READ = unhex("00 30 0017 00000001 1122334455667788")
ANSWER = unhex("00 00") + bytes(range(90))


class Target:
    """Answers a read as a device does; `served`: how often."""

    def __init__(self):
        self.served = 0

    def request(self, buf, a, end, out, o, now):
        assert bytes(buf[a:end]) == READ
        self.served += 1
        copy(out, o, ANSWER, 0, len(ANSWER))
        return o + len(ANSWER)


def message(hops=HOPS, retries=4) -> bytes:
    """For 5/1: along 5/2 .. 5/hops, the agent, to 5/hops + 1."""
    nodes = bytes(range(2, hops + 1))
    timing = bytes((retries << 4,))  # long timer: code 16, 4096 ms
    # then a node in the agent's subnet, by request, 3 retries of 1536 ms
    return (
        b"\x4d" + bytes((0xC0 | len(nodes),)) + nodes + timing + b"\xec\x3d" + bytes((hops + 1,))
    )


def chain(**options):
    made = Chain(HOPS + 1, **options)
    target = Target()
    made.nodes[-1].handlers[0x00] = target
    return made, target


def test_a_read_there_and_back():
    made, target = chain()
    made.send(FIRST + message() + READ)
    took = made.run(30000, answered=True)
    assert [frame for _, frame in made.heard] == [BACK + ANSWER]
    assert 34 <= made.frames < 34 + HOPS  # one a hop and way, and repetitions that are passed over
    assert took < 34 * 350, took
    made.run(60000)
    assert len(made.heard) == 1 and target.served == 1
    assert all(node.outgoing.slots[0].state == 0 for node in made.nodes)


def test_every_frame_lost_once():
    """Each node's first frame either way: the hop repeats it, and nothing is done twice."""
    seen = set()

    def lost(place, count):
        if (place, count > 20) in seen:
            return False
        seen.add((place, count > 20))
        return place > 0

    made, target = chain(lost=lost)
    made.send(FIRST + message() + READ)
    made.run(60000, answered=True)
    assert [frame for _, frame in made.heard] == [BACK + ANSWER]
    assert target.served == 1


def test_a_dead_repeater_is_named():
    """The one before it says how many hops were to come; nobody gives up earlier."""
    for dead in (2, 8, 15, 16, 17):
        made, target = chain(lost=lambda place, count, dead=dead: place == dead)
        made.send(FIRST + message(retries=1) + READ)
        made.run(60000, answered=True)
        left = HOPS + 1 - dead
        assert [frame for _, frame in made.heard] == [BACK + bytes((0x4C, left))], dead
        assert target.served == (dead == 17)


PATH = b"".join([unique_id(k) for k in range(1, 16)])


def search(copies=0) -> bytes:
    """To 1, along fifteen ids, for everybody behind the last who is not commissioned."""
    head = b"\x45\x01" + bytes((copies << 2 | 1,)) + CONCENTRATOR + b"\xf0\x12\x34\x00\x00\x01\x00"
    return b"\x00\x3f\x01\xff\x00" + unique_id(1) + b"OSGP\0\0" + head + PATH


def test_a_search_through_strangers():
    """Nobody is a member: the sixteenth device is found along fifteen ids."""
    made = Chain(16, commissioned=False)
    made.send(search())
    made.run(40000)
    assert len(made.heard) == 1
    frame = made.heard[0][1]
    assert frame[:11] == b"\x00\x3f\x00\x80\x00" + CONCENTRATOR
    apdu = frame[17:]
    assert len(apdu) == 23 + 90
    assert apdu[:3] == b"\x4a\x01\x00" and apdu[3:9] == unique_id(16)
    assert apdu[9] == 0xF0 and apdu[10:12] == b"\x12\x34"
    assert apdu[18:21] == b"\x70\x50\x00"  # as the sixteenth heard it
    for k in range(15):  # and as each heard the one behind it
        link = made.links[k]
        wrote = bytes((link.ssi1, link.ssi2, link.phase)) + unique_id(k + 1)[3:]
        assert apdu[23 + 6 * k : 29 + 6 * k] == wrote
    assert made.frames == 32


def test_copies_make_up_for_losses():
    """Of each node's frames every other one is lost, the first to begin with; nothing is passed on
    twice for its copies."""
    counts = {}

    def lost(place, count):
        counts[place] = counts.get(place, 0) + 1
        return place > 0 and counts[place] % 2 == 1

    for copies, found in ((0, 0), (1, 1)):
        counts.clear()
        made = Chain(16, lost=lost, commissioned=False)
        counts.clear()
        made.send(search(copies))
        made.run(60000)
        assert len(made.heard) == found
    assert all(node.senders[-1].passed <= 2 for node in made.nodes)


def test_awake():
    """What the others stand on: nobody speaks by himself after the start."""
    made, _ = chain()
    assert made.run(AWAKE) == AWAKE
    assert made.heard == [] and made.frames == 0

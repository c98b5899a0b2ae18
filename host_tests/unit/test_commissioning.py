"""FCM from the outside: the concentrator's side, from `profile.md` 15 over CMAC and CCM."""

from fakes import Flash, Settings
from osgp import kernels
from osgp.commission import BAD_CONTENT, DONE, LOW_BASE, NOT_KEPT, SAME_KEY
from osgp.commissioning import Commissioning
from osgp.membership import CONFIGURED, NEXT_KEY, UNCONFIGURED, Membership
from osgp.security.ccm import cmac, open_, seal
from support import aes, unhex
from tables.store import Counter, Ring

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

UID = unhex("050100A4B2C3")
INSTALLATION_KEY = b"installation key"
NC = b"nonce(c)"
UNICAST = bytes(range(0x10, 0x20))
BROADCAST = bytes(range(0x20, 0x30))


def content(
    mode=0,
    length=6,
    subnet=1,
    node=5,
    unicast=UNICAST,
    number=b"\x12\x34\xff\xfe",
    broadcast=BROADCAST,
    base=b"\x00\x00\x01\x02",
):
    """The 52 octets of a membership."""
    head = bytes((mode, length)) + b"domain" + bytes((subnet, node))
    return head + unicast + broadcast + number + base + b"\x03\x04"


class Bench:
    """A device that can be commissioned, and restarted on what it kept."""

    def __init__(self):
        self.settings = Settings()
        self.flash = Flash()
        self.drawn = 0
        self.key = INSTALLATION_KEY
        self.told = []
        self.restart()

    def restart(self):
        self.member = Membership(self.settings)
        self.counter = Counter(Ring(self.flash, 0, 2, 6, kernels))
        self.counter.load(self.member.generation)
        self.door = Commissioning(
            self.member, self.counter, aes, self.random, UID, lambda uid: self.key
        )
        self.door.on_done = lambda: self.told.append(self.member.state)

    def random(self, n):
        self.drawn += 1
        return bytes((self.drawn,)) * n

    def send(self, message):
        """The answer; b"" for none. Around it nothing may be touched."""
        buf = b"\xee" + message + b"\xee"
        out = bytearray(b"\xee" * 40)
        end = self.door.request(buf, 1, len(message) + 1, out, 2, 0)
        assert out[:2] == b"\xee\xee"
        return bytes(out[2:end])

    def challenge(self):
        answer = self.send(b"\x47\x01" + NC)
        assert len(answer) == 10
        assert answer[:2] == b"\x47\x01"
        return answer[2:]

    def commission(self, nd, text):
        """The result of a membership sealed under a challenge; -1: no answer."""
        answer = self.send(sealed(nd, text))
        return opened(nd, answer) if answer else -1

    def state(self):
        counter = self.counter
        return (bytes(self.member.image), dict(self.settings.kept), counter.hi, counter.lo)


def cipher(nd, key=INSTALLATION_KEY, uid=UID):
    return aes(cmac(aes(key), b"\x01FCM\x00" + uid + NC + nd))


def sealed(nd, text, key=INSTALLATION_KEY, uid=UID):
    associated = b"\x46\x01" + uid + NC
    return b"\x46\x01" + NC + seal(cipher(nd, key, uid), bytes(13), associated, text, 8)


def opened(nd, answer):
    assert len(answer) == 2 + 1 + 8
    assert answer[:2] == b"\x46\x01"
    associated = b"\x46\x01" + UID + NC
    text = open_(cipher(nd), b"\x01" + bytes(12), associated, answer[2:], 8)
    assert text is not None, "the answer's tag is wrong"
    return text[0]


def test_the_dialogue():
    bench = Bench()
    assert bench.member.state == UNCONFIGURED
    assert not bench.member.keyed
    assert not bench.counter.ready
    assert bench.commission(bench.challenge(), content()) == DONE
    assert (bench.door.done, bench.told) == (1, [CONFIGURED])
    for _ in range(2):
        member = bench.member
        assert (member.state, member.mode, member.keyed) == (CONFIGURED, 0, True)
        domain = member.domains[0]
        assert (domain.used, domain.length, domain.id) == (True, 6, b"domain")
        assert (domain.subnet, domain.node) == (1, 5)
        assert member.domains[1].id == b"OSGP\x00\x00"
        assert member.unicast_key == UNICAST
        assert member.broadcast_key == BROADCAST
        assert bytes(member.image[54:60]) == unhex("00000102 0304")
        assert bench.counter.ready
        bench.restart()
    assert (bench.counter.hi, bench.counter.lo) == (0x1235, 0x00FE)  # the reserved end


def test_the_number_starts_where_it_was_told():
    bench = Bench()
    bench.commission(bench.challenge(), content(number=b"\x12\x34\xff\xfe"))
    assert (bench.counter.hi, bench.counter.lo) == (0x1234, 0xFFFE)


def test_nd_is_good_once():
    bench = Bench()
    nd = bench.challenge()
    assert bench.commission(nd, content()) == DONE
    before = bench.state()
    assert bench.commission(nd, content()) == -1  # a replay
    assert bench.commission(nd, content(unicast=BROADCAST)) == -1
    assert bench.state() == before
    assert bench.door.failed_today == 0  # no challenge was open: nothing was judged
    assert bench.challenge() != nd
    assert bench.commission(nd, content(unicast=BROADCAST)) == -1
    assert bench.door.failed_today == 1


def test_a_challenge_before_any_commission():
    bench = Bench()
    assert bench.commission(b"\x01" * 8, content()) == -1
    assert bench.commission(bytes(8), content()) == -1


def test_a_wrong_tag_is_not_answered_but_counted():
    bench = Bench()
    before = bench.state()
    nd = bench.challenge()
    message = sealed(nd, content())
    for k in range(2, len(message)):
        flipped = bytearray(message)
        flipped[k] ^= 0x40
        assert bench.send(bytes(flipped)) == b""
    assert bench.door.failed_today == len(message) - 2
    assert bench.send(sealed(nd, content(), key=bytes(16))) == b""
    assert bench.send(sealed(nd, content(), uid=bytes(6))) == b""
    assert bench.state() == before
    for _ in range(60):
        assert bench.send(sealed(nd, content(), key=bytes(16))) == b""
    assert bench.door.failed_today == 100
    assert bench.commission(nd, content()) == DONE  # a right one is always taken


def test_the_same_key_is_refused():
    bench = Bench()
    assert bench.commission(bench.challenge(), content()) == DONE
    before = bench.state()
    for unicast in (UNICAST, UNICAST[:12] + b"else"):
        assert bench.commission(bench.challenge(), content(node=6, unicast=unicast)) == SAME_KEY
    assert bench.state() == before
    assert (bench.door.done, len(bench.told)) == (1, 1)
    assert bench.commission(bench.challenge(), content(unicast=BROADCAST)) == DONE
    assert bench.member.generation == 2


def test_the_key_that_ep20_brought_is_refused():
    bench = Bench()
    assert bench.commission(bench.challenge(), content()) == DONE
    offered = bytes(member_generation(bench)) + BROADCAST
    bench.settings.replace(NEXT_KEY, offered, len(offered))
    bench.restart()
    for unicast in (BROADCAST, BROADCAST[:12] + b"else"):
        assert bench.commission(bench.challenge(), content(unicast=unicast)) == SAME_KEY
    assert bench.commission(bench.challenge(), content(unicast=bytes(16))) == DONE
    assert bench.member.next_key is None


def member_generation(bench):
    return bench.member.image[52:54]


def test_the_mode_changes_both_ways():
    bench = Bench()
    for k, mode in enumerate((0, 2, 0, 2)):
        unicast = bytes((k + 1,)) * 16
        assert bench.commission(bench.challenge(), content(mode, unicast=unicast)) == DONE
        bench.restart()
        assert (bench.member.mode, bench.member.unicast_key) == (mode, unicast)
    # the same key for another mode is the same key
    assert bench.commission(bench.challenge(), content(0, unicast=unicast)) == SAME_KEY


def test_b_goes_back_with_another_broadcast_key_only():
    bench = Bench()
    assert bench.commission(bench.challenge(), content()) == DONE
    before = bench.state()
    low = b"\x00\x00\x01\x01"
    for broadcast in (BROADCAST, BROADCAST[:12] + b"else"):
        text = content(unicast=bytes(16), broadcast=broadcast, base=low)
        assert bench.commission(bench.challenge(), text) == LOW_BASE
    assert bench.state() == before
    for key, base in ((b"\x01", b"\x00\x00\x01\x02"), (b"\x02", b"\x00\x01\x00\x00")):
        text = content(unicast=key * 16, base=base)
        assert bench.commission(bench.challenge(), text) == DONE
    text = content(unicast=bytes(16), broadcast=bytes(16), base=bytes(4))
    assert bench.commission(bench.challenge(), text) == DONE
    assert bench.member.image[54:58] == bytes(4)


def test_bad_content_is_refused():
    bench = Bench()
    before = bench.state()
    bad = [content(mode=mode) for mode in (1, 3, 4, 255)]
    bad += [content(length=length) for length in (2, 4, 5, 7, 255)]
    bad += [content(subnet=0), content(node=0), content(node=128), content(node=255)]
    for text in bad:
        assert bench.commission(bench.challenge(), text) == BAD_CONTENT
    assert bench.state() == before
    for length in (0, 1, 3, 6):
        unicast = bytes((length + 1,)) * 16
        text = content(length=length, subnet=255, node=127, unicast=unicast)
        assert bench.commission(bench.challenge(), text) == DONE


def test_what_is_no_message_of_these_is_not_answered():
    bench = Bench()
    nd = bench.challenge()
    good = sealed(nd, content())
    for message in (
        b"\x47",
        b"\x47\x01",
        b"\x47\x02" + NC,
        b"\x47\x01" + NC[:7],
        b"\x47\x01" + NC + b"\x00",
        b"\x48\x01" + NC,
        good[:-1],
        good + b"\x00",
        b"\x46\x02" + good[2:],
        b"\x46\x01" + NC,
    ):
        assert bench.send(message) == b""
    assert bench.drawn == 1
    assert bench.door.failed_today == 0
    assert bench.commission(nd, content()) == DONE


def test_without_an_installation_key_nothing_is_answered():
    bench = Bench()
    nd = bench.challenge()
    bench.key = None
    assert bench.send(b"\x47\x01" + NC) == b""
    assert bench.send(sealed(nd, content())) == b""


def test_the_counter_is_safe_before_the_member():
    bench = Bench()
    seen = []

    def look(name):
        stored = Counter(Ring(bench.flash, 0, 2, 6, kernels))
        stored.load(1)
        seen.append((name, stored.ready, stored.hi, bench.member.keyed))

    bench.settings.on_replace = look
    assert bench.commission(bench.challenge(), content()) == DONE
    assert seen == [("member", True, 0x1235, False)]


def cut(bench):
    """A commissioning with a new key during which the store fails; then a restart."""
    nd = bench.challenge()
    assert bench.commission(nd, content(node=9, unicast=BROADCAST, number=bytes(4))) == NOT_KEPT
    image = bytes(bench.member.image)
    bench.settings.fails = False
    bench.flash.cut = -1
    bench.restart()
    assert bytes(bench.member.image) == image  # what ran on was the old member, too


def test_a_cut_leaves_the_old_member_whole():
    bench = Bench()
    assert bench.commission(bench.challenge(), content()) == DONE
    before = bytes(bench.member.image)
    bench.flash.cut = 0  # before the counter is safe
    cut(bench)
    for _ in range(3):
        assert bytes(bench.member.image) == before
        assert bench.counter.ready
        # a number that is not below any that may have been used
        assert bench.counter.hi == 0x1235
        assert bench.counter.lo in range(0x00FE, 0x0500, 0x100)
        bench.settings.fails = True  # between the counter and the member
        cut(bench)
    assert bench.commission(bench.challenge(), content(unicast=BROADCAST)) == DONE
    assert (bench.counter.hi, bench.counter.lo) == (0x1234, 0xFFFE)
    bench.restart()
    assert bench.member.unicast_key == BROADCAST
    assert (bench.counter.hi, bench.counter.lo) == (0x1235, 0x00FE)


def test_a_cut_leaves_a_virgin_a_virgin():
    bench = Bench()
    bench.settings.fails = True
    cut(bench)
    assert (bench.member.state, bench.member.keyed) == (UNCONFIGURED, False)
    assert bench.commission(bench.challenge(), content()) == DONE


if given:

    @given(st.binary(min_size=1, max_size=80))
    def test_any_octets_never_raise(message):
        bench = Bench()
        bench.challenge()
        answer = bench.send(message)
        assert not answer or message[:1] == b"\x47"

    @given(st.binary(min_size=52, max_size=52))
    def test_any_content_is_answered(text):
        bench = Bench()
        result = bench.commission(bench.challenge(), text)
        assert result in (DONE, BAD_CONTENT)
        assert bench.member.keyed == (result == DONE)

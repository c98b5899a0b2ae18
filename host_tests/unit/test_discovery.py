"""Discovery (codes 45, 4A): what a device passes on, and when it answers (`profile.md` 19)."""

from node_support import AWAKE, Bench
from osgp.membership import UNCONFIGURED
from repeating_support import add_discovery
from support import unhex

DOMAIN = "4F5347500000 "
CONCENTRATOR = "0400DDDDDDDD "
BEFORE = "040000000001 "
AFTER = "040000000002 "
US = "040000112233 "
TO_US = "00 3F 01 FF 00 " + US + DOMAIN
TO_ALL = "00 33 01 FF 00 " + DOMAIN
NONCE = "0102 "
HEARD = (0x04, 0x37, 2)  # status, levels, phase
TOLD = "04 37 02 "
PROGRAM = "9FFFFF4F53475001 "


def bench(**options) -> Bench:
    made = Bench(**options)
    made.discovery = add_discovery(made.node)
    made.model = made.discovery.model
    made.envelope = made.discovery.envelope
    link = made.node.link
    link.ssi1, link.ssi2, link.phase = HEARD
    return made


def heard(made, frame, now=AWAKE) -> list:
    """What is sent at once because of a frame."""
    return [out.hex() for out in made.hear(unhex(frame), now)]


def sent(made, now) -> list:
    """What is sent by itself at `now`."""
    made.settle(now)
    out, made.chip.frames = made.chip.frames, []
    return [frame.hex() for frame in out]


def plain(frame) -> str:
    return unhex(frame).hex()


def search(path="00", ids="", flags="00", share="00 00", slots="01 00", nonce=NONCE) -> str:
    return "45 01" + flags + CONCENTRATOR + path + nonce + share + slots + ids


def ask(path="00", ids="", device=US, flags="00", nonce=NONCE) -> str:
    return "45 02" + flags + CONCENTRATOR + path + nonce + device + ids


def answer(flags, address, sub="01", path="00", ids="", nonce=NONCE, program=PROGRAM) -> str:
    head = "4A " + sub + flags + US + path + nonce + CONCENTRATOR + TOLD + address
    return head + program + ids


def frame_to(unique_id, apdu) -> str:
    """Of ours: everybody's subnet, from nobody."""
    return plain("00 3F 00 80 00 " + unique_id + DOMAIN + apdu)


# ---- the way out


def test_a_search_is_passed_on():
    made = bench()
    for path, passed in (("20", "21"), ("21", "22")):
        ids = US + AFTER if path == "20" else BEFORE + US
        out = heard(made, TO_US + search(path, ids))
        made = bench()
        if path == "20":
            assert out == [frame_to(AFTER, search(passed, ids))]
        else:  # nobody is left on the path: now everybody is asked
            assert out == [plain("00 33 00 80 00 " + DOMAIN + search(passed, ids))]


def test_uncommissioned_devices_pass_on_as_well():
    made = bench(state=UNCONFIGURED)
    assert heard(made, TO_US + search("20", US + AFTER)) == [
        frame_to(AFTER, search("21", US + AFTER))
    ]


def test_a_question_goes_to_its_device_at_the_end():
    made = bench()
    assert heard(made, TO_US + ask("10", US, AFTER)) == [frame_to(AFTER, ask("11", US, AFTER))]


def test_the_longest_path():
    others = "".join("0400000001%02X" % k for k in range(14))
    apdu = search("F0", US + others)
    out = heard(bench(), TO_US + apdu)
    assert out == [frame_to("040000000100", search("F1", US + others))]


def test_only_who_is_next_passes_on():
    made = bench()
    assert heard(made, TO_US + search("20", AFTER + US)) == []
    assert heard(made, TO_US + search("21", US + AFTER)) == []
    assert heard(made, TO_ALL + search("10", US)) == []
    assert made.discovery.passed == 0


def test_one_frame_at_a_time():
    """The second waits a moment; what comes while it waits is dropped."""
    made = bench()
    assert len(heard(made, TO_US + search("10", US))) == 1
    for k in range(3):
        assert heard(made, TO_US + search("10", US, nonce="020%d" % k)) == []
    assert made.discovery.dropped == 2
    assert sent(made, AWAKE + 99) == []
    out = sent(made, AWAKE + 100)
    assert out == [plain("00 33 00 80 00 " + DOMAIN + search("11", US, nonce="0200"))]


def test_each_is_passed_on_once():
    """Whoever sends copies sends the same message; who asks anew takes another nonce."""
    made = bench()
    assert len(heard(made, TO_US + search("10", US))) == 1
    assert heard(made, TO_US + search("10", US), AWAKE + 1000) == []
    assert len(heard(made, TO_US + search("10", US, nonce="0103"), AWAKE + 1000)) == 1
    assert heard(made, TO_US + search("10", US), AWAKE + 2000) == []
    assert made.discovery.passed == 2 and made.discovery.dropped == 0


def copies_of(frame) -> int:
    """ms from a frame to its copy."""
    return 60 + 4 * (len(frame) // 2)


def test_copies():
    """As many as the message says, of what is passed on and of the answer, with room between."""
    made = bench()
    for frame, first in (
        (TO_US + search("10", US, flags="08"), search("11", US, flags="08")),
        (TO_ALL + search(flags="08", nonce="0104"), None),
    ):
        out = heard(made, frame)
        assert len(out) == 1
        assert first is None or out == [plain("00 33 00 80 00 " + DOMAIN + first)]
        assert first or out == [frame_to(CONCENTRATOR, answer("25", "0509", nonce="0104"))]
        now = AWAKE
        for _ in range(2):
            wait = copies_of(out[0])
            assert sent(made, now + wait - 1) == []
            now += wait
            assert sent(made, now) == out
        assert sent(made, now + 60000) == []


def test_copies_make_room():
    """What is new goes before the copies of what has been sent."""
    made = bench()
    assert len(heard(made, TO_US + search("10", US, flags="0C"))) == 1
    later = AWAKE + 100
    out = heard(made, TO_US + search("10", US, nonce="0105"), later)
    assert out == [plain("00 33 00 80 00 " + DOMAIN + search("11", US, nonce="0105"))]
    assert sent(made, AWAKE + 60000) == []


# ---- the way back


def test_an_answer_is_passed_back():
    """How it was heard is written over the own id."""
    body = "4A 01 06" + "040000000099" + "%s" + NONCE + CONCENTRATOR + "112200 0509" + PROGRAM
    made = bench()
    out = heard(made, TO_US + body % "22" + BEFORE + US)
    assert out == [frame_to(BEFORE, body % "21" + BEFORE + TOLD + "112233")]
    made = bench()
    out = heard(made, TO_US + body % "21" + US + "777777 000002")
    assert out == [frame_to(CONCENTRATOR, body % "20" + TOLD + "112233" + "777777 000002")]


def test_an_answer_that_is_not_ours_to_pass():
    body = "4A 01 00" + "040000000099" + "%s" + NONCE + CONCENTRATOR + "112200 0509"
    made = bench()
    for path, ids in (("21", BEFORE + US), ("10", US), ("22", BEFORE + US + "00")):
        assert heard(made, TO_US + body % path + ids) == []


# ---- answering


def test_a_search_is_answered():
    made = bench()
    assert heard(made, TO_ALL + search()) == [frame_to(CONCENTRATOR, answer("05", "0509"))]
    made = bench(state=UNCONFIGURED)
    assert heard(made, TO_ALL + search()) == [frame_to(CONCENTRATOR, answer("04", "0000"))]


def test_a_search_from_afar_is_answered_along_its_path():
    made = bench()
    out = heard(made, TO_ALL + search("22", BEFORE + AFTER))
    assert out == [frame_to(AFTER, answer("05", "0509", path="22", ids=BEFORE + AFTER))]


def test_the_program_id_is_left_out_where_it_does_not_fit():
    for n, there in ((13, True), (14, False), (15, False)):
        ids = "".join("0400000001%02X" % k for k in range(n))
        path = "%X%X" % (n, n)
        flags, program = ("05", PROGRAM) if there else ("01", "")
        out = heard(bench(), TO_ALL + search(path, ids))
        expected = answer(flags, "0509", path=path, ids=ids, program=program)
        assert out == [frame_to("0400000001%02X" % (n - 1), expected)]
        assert len(unhex(expected)) <= 114


def test_who_is_on_the_path_does_not_answer():
    assert heard(bench(), TO_ALL + search("22", BEFORE + US)) == []


def test_a_query_is_answered_once():
    made = bench()
    assert len(heard(made, TO_ALL + search())) == 1
    assert heard(made, TO_ALL + search()) == []
    assert heard(made, TO_ALL + search("11", BEFORE)) == []
    assert len(heard(made, TO_ALL + search(nonce="0103"))) == 1


def test_slots():
    """256 of them of 16 ms: the answers to several queries lie apart; none is early or late."""
    slots = set()
    for k in range(20):
        made = bench()
        frame = TO_ALL + search(slots="FF 01", nonce="00%02X" % k)
        out = heard(made, frame)
        due = AWAKE
        if not out:
            due = made.discovery.own_due
            assert sent(made, due - 1) == []
            assert len(sent(made, due)) == 1
        assert (due - AWAKE) % 16 == 0 and due - AWAKE < 255 * 16
        slots.add(due)
    assert len(slots) > 12


def test_a_new_query_takes_the_place_of_one_that_waits():
    made = bench()
    heard(made, TO_ALL + search(slots="FF FF", nonce="0001"))
    assert len(heard(made, TO_ALL + search(nonce="0002"))) == 1
    assert sent(made, AWAKE + 20 * 60000) == []


def test_shares():
    """Of 16 shares exactly one is ours, and it is another one with another nonce."""
    ours = []
    for nonce in range(6):
        shares = [
            share
            for share in range(16)
            if heard(
                bench(),
                TO_ALL + search(share="0F %02X" % share, nonce="00%02X" % nonce),
            )
        ]
        assert len(shares) == 1
        ours += shares
    assert len(set(ours)) > 2


def test_conditions():
    uncommissioned, silent = "01", "02"
    assert heard(bench(), TO_ALL + search(flags=uncommissioned)) == []
    assert len(heard(bench(state=UNCONFIGURED), TO_ALL + search(flags=uncommissioned))) == 1
    assert heard(bench(), TO_ALL + search(flags="03")) == []  # not known
    made = bench()
    made.envelope.validated_at = AWAKE
    minutes = 60000
    assert heard(made, TO_ALL + search(flags=silent), AWAKE + 59 * minutes) == []
    out = heard(made, TO_ALL + search(), AWAKE + 59 * minutes)
    assert out == [frame_to(CONCENTRATOR, answer("07", "0509"))]  # in communication
    later = AWAKE + 60 * minutes
    out = heard(made, TO_ALL + search(flags=silent, nonce="0009"), later)
    assert out == [frame_to(CONCENTRATOR, answer("05", "0509", nonce="0009"))]


def test_an_epoch_passes_over_who_was_noted():
    made = bench()
    assert len(heard(made, TO_US + ask(flags="30", nonce="0001"))) == 1
    assert heard(made, TO_ALL + search(flags="30", nonce="0002")) == []
    assert len(heard(made, TO_ALL + search(flags="40", nonce="0003"))) == 1
    assert len(heard(made, TO_ALL + search(flags="00", nonce="0004"))) == 1
    assert len(heard(made, TO_US + ask(flags="00", nonce="0005"))) == 1
    assert heard(made, TO_ALL + search(flags="30", nonce="0006")) == []  # noted as before


def test_what_a_host_has_set():
    made = bench()
    made.model.et04[95] = 1
    assert heard(made, TO_ALL + search()) == []
    assert len(heard(made, TO_US + ask())) == 1  # who is asked himself does answer
    made = bench()
    made.model.et55[14] = 256 - 42  # it is at -42 dB
    assert len(heard(made, TO_ALL + search())) == 1
    made.model.et55[14] = 256 - 41
    assert heard(made, TO_ALL + search(nonce="0103")) == []


def test_a_question_is_answered():
    made = bench()
    out = heard(made, TO_US + ask("11", BEFORE))
    assert out == [frame_to(BEFORE, answer("05", "0509", sub="02", path="11", ids=BEFORE))]
    assert heard(made, TO_US + ask("11", BEFORE, device=AFTER, nonce="0103")) == []


def test_nothing_but_what_the_profile_says_is_taken():
    """Cut short, too long, in another domain, as a request."""
    made = bench()
    good = unhex(search("11", BEFORE))
    for n in range(1, len(good)):
        assert heard(made, TO_ALL + good[:n].hex()) == []
    assert heard(made, TO_ALL + search("11", BEFORE) + "00") == []
    assert heard(made, "00 31 01 FF 00 " + search()) == []  # the zero-length domain
    assert heard(made, "00 1F 01 FF 00 " + US + DOMAIN + "01" + ask()) == []
    assert made.discovery.asked == 0

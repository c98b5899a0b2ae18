"""Challenge and reply (`lon.md` 2): who is challenged, what a reply must be, what is delivered."""

from osgp.lon.npdu import GROUP, SPDU, SUBNET_NODE, UNIQUE_ID
from osgp.membership import KEYS
from osgp.security.digest import authentication
from support import unhex
from transport_support import LATER, Layers

RANDOM = unhex("0011223344556677")
KEY, OTHER_KEY = unhex("0102030405AA"), unhex("1112131415BB")
APDU = unhex("4101020304")
REQUEST = "00 1A 01 85 05 89 C0FFEE 87" + APDU.hex()
CHALLENGE = "00 2A 05 89 01 85 C0FFEE 87" + RANDOM.hex()
REPLY = "00 2A 01 85 05 89 C0FFEE A7"


class Source:
    """Draws that are never the same twice."""

    def __init__(self):
        self.drawn = 0

    def __call__(self, n):
        self.drawn += 1
        return bytes((octet + (self.drawn - 1)) & 0xFF for octet in RANDOM[:n])


def layers(oma=False, mode=0, keys=KEY + OTHER_KEY):
    it = Layers(Source())
    draft = it.member.draft()
    draft[1] = mode
    draft[2] |= 0x08 if oma else 0
    draft[KEYS : KEYS + 12] = keys
    it.member.commit(draft)
    return it


def test_the_vectors():
    assert authentication(KEY, RANDOM, APDU) == unhex("8D32733E9B8F4F36")
    address = unhex("C0FFEE000000 03 05 09")
    assert authentication(KEY + OTHER_KEY, RANDOM, address + APDU) == unhex("B697AC656464EBD8")


def test_a_request_is_delivered_once_its_sender_has_proved_himself():
    it = layers()
    assert it.hear(REQUEST) is None
    assert it.sent() == unhex(CHALLENGE) and it.sent() is None
    assert it.hear(REPLY + "8D32733E9B8F4F36") == APDU
    assert it.record.authentic and it.transport.current is it.record
    assert (it.npdu.pdu, it.npdu.format) == (SPDU, SUBNET_NODE)
    it.answer("01")
    response = unhex("00 1A 05 89 01 85 C0FFEE 27 01")
    assert it.sent() == response
    assert it.hear(REQUEST) is None  # repeated after all this
    assert it.sent() == response


def test_a_wrong_reply_delivers_a_message_that_is_not_authentic():
    it = layers()
    it.hear(REQUEST)
    it.sent()
    assert it.hear(REPLY + "8D32733E9B8F4F37") == APDU
    assert not it.record.authentic
    it.answer("01")
    assert it.sent() is not None
    assert it.hear(REPLY + "8D32733E9B8F4F36") is None  # it had its chance


def test_repetitions_get_the_same_challenge():
    it = layers()
    it.hear(REQUEST)
    assert it.hear(REQUEST) is None  # before the first has left
    assert it.sent() == unhex(CHALLENGE) and it.sent() is None
    assert it.hear("40" + REQUEST[2:]) is None
    assert it.sent() == unhex("40" + CHALLENGE[2:])
    assert it.transport.random.drawn == 1
    it.hear("00 1A 01 85 05 89 C0FFEE 88" + APDU.hex())  # another message, another challenge
    assert it.sent()[-8:] != RANDOM and it.transport.random.drawn == 2


def test_an_acknowledged_message_is_acknowledged_after_the_reply():
    it = layers()
    assert it.hear("00 0A" + REQUEST[5:]) is None
    assert it.sent() == unhex(CHALLENGE)
    assert it.hear(REPLY + "8D32733E9B8F4F36") == APDU
    assert it.sent() == unhex("00 0A 05 89 01 85 C0FFEE 27")


def test_a_repeated_message_is_only_delivered():
    it = layers()
    assert it.hear("00 0A 01 85 05 89 C0FFEE 97" + APDU.hex()) is None
    assert it.sent() == unhex(CHALLENGE)
    assert it.hear(REPLY + "8D32733E9B8F4F36") == APDU and it.record.authentic
    assert it.sent() is None


def test_open_media_authentication():
    it = layers(oma=True)
    assert it.hear(REQUEST) is None
    assert it.sent() == unhex(CHALLENGE.replace("87" + RANDOM.hex(), "97" + RANDOM.hex()))
    assert it.hear(REPLY + "B697AC656464EBD8") is None  # the type of the other
    assert it.hear(REPLY[:-2] + "B7 B697AC656464EBD8") == APDU and it.record.authentic


def test_open_media_authentication_by_unique_id():
    it = layers(oma=True)
    assert it.hear("00 1E 01 85 00 040000112233 C0FFEE 87" + APDU.hex()) is None
    assert it.sent() == unhex("00 2A 05 89 01 85 C0FFEE D7" + RANDOM.hex())
    assert it.hear(REPLY[:-2] + "F7 BA2BE5DA6AC8624B") == APDU and it.record.authentic
    assert it.npdu.format == UNIQUE_ID


def test_a_group_is_named_in_its_challenge():
    for oma, asked, given in ((False, "43", "63"), (True, "53", "73")):
        it = layers(oma=oma)
        assert it.hear("00 06 01 85 2A C0FFEE 83" + APDU.hex()) is None
        assert it.sent() == unhex("00 2A 05 89 01 85 C0FFEE" + asked + RANDOM.hex() + "2A")
        data = unhex("C0FFEE000000 03 2A FF") + APDU if oma else APDU
        reply = authentication(KEY + OTHER_KEY if oma else KEY, RANDOM, data).hex()
        head = "00 2A 01 85 05 89 C0FFEE" + given
        assert it.hear(head + reply + "2B") is None  # another group
        assert it.hear(head + reply) is None  # none
        assert it.hear(head + reply + "2A") == APDU and it.record.authentic
        assert it.npdu.format == GROUP
        assert it.sent() == unhex("00 0A 05 09 01 85 2A 01 C0FFEE 23")


def test_the_key_is_that_of_the_domain():
    it = layers()
    draft = it.member.draft()
    it.member.set_domain(draft, 1, 1, unhex("77 0000000000"), 7, 3)
    it.member.commit(draft)
    assert it.hear("00 19 01 85 07 83 77 87" + APDU.hex()) is None
    assert it.sent() == unhex("00 29 07 83 01 85 77 87" + RANDOM.hex())
    reply = authentication(OTHER_KEY, RANDOM, APDU).hex()
    assert it.hear("00 29 01 85 07 83 77 A7" + reply) == APDU and it.record.authentic


def test_whose_reply_it_is():
    good = "8D32733E9B8F4F36"
    for frame in (
        "00 2A 02 85 05 89 C0FFEE A7",  # another sender
        "00 2A 01 86 05 89 C0FFEE A7",
        "80 2A 01 85 05 89 C0FFEE A7",  # another space
        "00 2A 01 85 05 89 C0FFEE A8",  # another transaction
        "00 2A 01 85 05 89 C0FFEE 27",  # another address format
        "00 2A 01 85 05 89 C0FFEE B7",  # another type
    ):
        it = layers()
        it.hear(REQUEST)
        assert it.hear(frame + good) is None, frame
        assert it.hear(REPLY + good + "00") is None and it.hear(REPLY + good[:-2]) is None
        assert it.transport.unsupported == 3
        assert it.hear(REPLY + good) == APDU and it.record.authentic
    it = layers()
    it.hear(REQUEST)
    assert it.hear(REPLY + good, LATER + 8192) is None  # its time has passed


def test_who_is_not_challenged():
    broadcast = "00 12 01 85 00 C0FFEE 87" + APDU.hex()
    flexible = "00 1E 01 85 00 040000112233 BADBAD 87" + APDU.hex()
    no_source = layers()
    no_source.transport.random = None
    unconfigured = layers()
    unconfigured.npdu.configured = False
    by_id = "00 1E 01 85 00 040000112233 C0FFEE 87" + APDU.hex()
    for it, frame in (
        (layers(), broadcast),
        (layers(), flexible),
        (layers(mode=2), REQUEST),
        (layers(keys=bytes(12)), REQUEST),
        (no_source, REQUEST),
        (unconfigured, by_id),
    ):
        assert it.hear(frame) == APDU and not it.record.authentic, frame
        assert it.sent() is None
    assert layers(keys=bytes(6) + OTHER_KEY).hear(REQUEST) == APDU  # the key of the other domain


def test_what_is_not_authenticated_is_never_authentic():
    it = layers()
    it.hear(REQUEST)
    it.hear(REPLY + "8D32733E9B8F4F36")
    assert it.hear("00 1A 01 85 05 89 C0FFEE 08" + APDU.hex()) == APDU and not it.record.authentic
    assert it.hear("00 3A 01 85 05 89 C0FFEE" + APDU.hex()) == APDU and not it.record.authentic


def test_a_challenge_is_not_reused_by_the_next_message():
    it = layers()
    it.hear(REQUEST)
    assert it.hear("00 1A 01 85 05 89 C0FFEE 08 51") == b"\x51"
    it.answer("31")
    assert it.sent() == unhex("00 1A 05 89 01 85 C0FFEE 28 31") and it.sent() is None
    assert it.hear(REPLY + "8D32733E9B8F4F36") is None

"""Both suites against a real device, and what repeating, reflecting, swapping or changing messages
may not achieve (profile 2-5, 8-10)."""

import asyncio
import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from fake_line import PlainNumbers
from hypothesis import given, settings
from hypothesis import strategies as st
from rig_line import session as rig_session

from osgp.security.ccm import cmac as firmware_cmac
from osgp_tools.client import Client, Effort, NoAnswerError, Target
from osgp_tools.lpdu import Frame, decode
from osgp_tools.membership import aes
from osgp_tools.session import RefusedError, SequenceLostError, Session
from osgp_tools.suites import (
    AES_PSK,
    LEGACY,
    AesPsk,
    Answer,
    Code,
    cmac,
    nonce,
    subkey,
    suite,
)
from rig import UID, Member

MODES = pytest.mark.parametrize("mode", [LEGACY, AES_PSK])
KEY = bytes(range(1, 17))
READ_BT03 = b"\x30\x00\x03"
READ_BT01 = b"\x30\x00\x01"


@pytest.fixture(scope="module", params=[LEGACY, AES_PSK], ids=["mode 0", "mode 2"])
def member(request):
    return Member(mode=request.param)


def exchange(member, command, number=None):
    """A request and its answer: (sealed, answer's APDU)."""
    sealed = member.suite.seal(member.expected if number is None else number, command)
    (answer,) = member.rig.exchange(member.frame(sealed.apdu).encode())
    return sealed, answer.body


# ---- mode 2, octet by octet


def test_cmac_is_the_firmware_s_and_rfc_4493_s():
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    assert cmac(key, b"").hex() == "bb1d6929e95937287fa37d129b756746"
    message = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
    assert cmac(key, message).hex() == "070a16b46b4d4144f79bdd9dd04a287c"
    assert bytes(firmware_cmac(aes(key), message)) == cmac(key, message)


def test_a_request_of_mode_2_lies_as_the_profile_says():
    key = cmac(KEY, b"\x01ENCU\x00" + UID + b"\x00\x80")
    assert subkey(KEY, b"ENCU", UID) == key
    sealed = AesPsk(KEY, UID, 5, 9).seal(0x01020304, READ_BT03).apdu
    where = b"\x00" + UID + b"\x01\x02\x03\x04\x00\x00"
    assert nonce(0, UID, b"\x01\x02\x03\x04") == where
    by_hand = AESCCM(key, tag_length=8).encrypt(where, READ_BT03, b"\x05\x09\x00")
    assert sealed == b"\x00" + by_hand[:3] + b"\x01\x02\x03\x04" + by_hand[3:]


def test_there_are_two_modes():
    with pytest.raises(ValueError, match="security mode 1"):
        suite(1, KEY, UID, 1, 1)


# ---- with the device


def test_the_device_and_we_understand_each_other(member):
    sealed, answer = exchange(member, READ_BT03)
    opened = sealed.open(answer)
    assert opened and opened.code == Code.OK and len(opened.data) == 13
    sealed, answer = exchange(member, b"\x30\x7f\xff")
    assert sealed.open(answer) == Answer(Code.INAPPROPRIATE_ACTION)


def test_a_wrong_number_is_answered_by_the_one_expected(member):
    sealed, answer = exchange(member, READ_BT03, member.expected + 100)
    assert answer[:6] == b"\x00\x0c" + member.expected.to_bytes(4, "big")
    assert sealed.open(answer) == Answer(Code.SEQUENCE_NUMBER_ERROR, answer[2:6])


def test_a_wrong_tag_is_refused_and_only_mode_2_proves_who_says_so(member):
    sealed = member.suite.seal(member.expected, READ_BT03)
    apdu = sealed.apdu[:-1] + bytes((sealed.apdu[-1] ^ 1,))
    (answer,) = member.rig.exchange(member.frame(apdu).encode())
    assert member.suite.refused(apdu, answer.body)
    assert sealed.open(b"\x00\x0b") == (Answer(Code.DIGEST_ERROR) if not member.mode else None)
    if member.mode:
        assert len(answer.body) == 10
        assert sealed.open(answer.body) is None  # that was another request
        other = AesPsk(bytes(16), UID, member.SUBNET, member.NODE)
        assert not other.refused(apdu, answer.body)


def test_a_request_is_no_answer(member):
    """Reflection: what we sent comes back to us."""
    sealed, _ = exchange(member, READ_BT03)
    assert sealed.open(sealed.apdu) is None
    other = member.suite.seal(member.expected, READ_BT03)
    assert other.open(sealed.apdu) is None


def test_an_answer_is_no_request(member):
    """Reflection: the device's own answer is sent to it."""
    _, answer = exchange(member, READ_BT03)
    before = member.rig.device.envelope.validated
    member.rig.exchange(member.frame(answer).encode())
    assert member.rig.device.envelope.validated == before


def test_answers_belong_to_their_requests(member):
    """Swapped, and replayed: the same command under another number, another command."""
    pairs = [exchange(member, command) for command in (READ_BT03, READ_BT03, READ_BT01)]
    for a, (sealed, _) in enumerate(pairs):
        for b, (_, answer) in enumerate(pairs):
            assert (sealed.open(answer) is not None) == (a == b)


def test_a_replayed_request_does_nothing_and_shows_nothing_new(member):
    sealed, _ = exchange(member, READ_BT03)
    answers = {member.rig.exchange(member.frame(sealed.apdu).encode())[0].body for _ in range(3)}
    assert len(answers) == 1 and answers.pop()[:2] == b"\x00\x0c"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_changed_octet_is_accepted_by_either(member, data):
    sealed, answer = exchange(member, READ_BT03)
    changed = bytearray(answer)
    changed[data.draw(st.integers(0, len(answer) - 1))] ^= data.draw(st.integers(1, 255))
    assert sealed.open(bytes(changed)) is None
    cut = answer[: data.draw(st.integers(0, len(answer) - 1))]
    assert sealed.open(cut) is None or cut == b"\x00\x0b"  # which mode 0 believes anybody
    request = bytearray(member.suite.seal(member.expected, READ_BT03).apdu)
    request[data.draw(st.integers(1, len(request) - 1))] ^= data.draw(st.integers(1, 255))
    before = member.expected
    member.rig.exchange(member.frame(bytes(request)).encode())
    assert member.expected == before


# ---- through a session


class Between:
    """A line with somebody on it: `meddle(answer's APDU) -> APDUs that arrive`."""

    def __init__(self, member):
        self.heard = []
        self.member = member
        self.sent = []
        self.meddle = lambda apdu: [apdu]

    async def send(self, lpdu: bytes) -> None:
        self.sent.append(decode(lpdu).body)
        for frame in self.member.rig.exchange(lpdu):
            for apdu in self.meddle(frame.body):
                for listener in self.heard:
                    asyncio.get_running_loop().call_soon(listener, self._with(frame, apdu))

    @staticmethod
    def _with(frame: Frame, apdu: bytes) -> bytes:
        return frame.with_(body=apdu).encode()


def between(member, first=None) -> tuple[Session, Between, PlainNumbers]:
    line = Between(member)
    quick = Effort(1, 0.02)
    client = Client(line, (member.SUBNET, 1), silence=0, reading=quick, writing=quick)
    numbers = PlainNumbers(member.expected if first is None else first)
    target = Target(member.DOMAIN, member.SUBNET, member.NODE)
    return Session(client, target, member.suite, numbers), line, numbers


def test_forged_numbers_do_not_move_ours(member):
    """A 0C that the device did not send is passed over, whatever it asks for."""

    async def scenario():
        session, line, numbers = between(member)
        forged = b"\x00\x0c\xff\xff\xff\x00"
        line.meddle = lambda apdu: [forged, forged + bytes(8), forged + apdu[-8:], apdu]
        first = numbers.next
        await session.read(3)
        assert numbers.next == first + 1

    asyncio.run(scenario())


def test_an_old_0c_is_not_believed_again(member):
    async def scenario():
        session, line, _ = between(member, member.expected + 100)
        seen = []
        line.meddle = lambda apdu: seen.append(apdu) or [apdu]
        with pytest.raises(SequenceLostError):
            await session.read(3)
        assert seen[0][:2] == b"\x00\x0c"
        session, line, _ = between(member)
        line.meddle = lambda apdu: [seen[0], apdu]
        await session.read(3)

    asyncio.run(scenario())


def test_answers_of_before_do_not_end_an_exchange(member):
    async def scenario():
        session, line, _ = between(member)
        seen = []
        line.meddle = lambda apdu: seen.append(apdu) or [*seen[:-1], line.sent[-1], apdu]
        bodies = [await session.read(table) for table in (3, 1, 3)]
        assert len(bodies[0]) == 13 and len(bodies[1]) == 24
        assert session.client.statistics.foreign > 0

    asyncio.run(scenario())


def test_a_bare_0b_ends_an_exchange_in_mode_0_only(member):
    async def scenario():
        session, line, _ = between(member)
        line.meddle = lambda apdu: [b"\x00\x0b"]
        error = RefusedError if member.mode == LEGACY else NoAnswerError
        with pytest.raises(error):
            await session.read(3)

    asyncio.run(scenario())


def test_a_second_concentrator_without_the_key_achieves_nothing(member):
    """Mode 2: it cannot even tell who refuses it, so it hears no answer, and commissions."""

    async def scenario():
        session, _, numbers = between(member)
        stranger = suite(member.mode, bytes(16), UID, member.SUBNET, member.NODE)
        session = Session(session.client, session.target, stranger, numbers)
        before = member.expected
        with pytest.raises((RefusedError, NoAnswerError)):
            await session.read(3)
        assert member.expected == before

    asyncio.run(scenario())


def test_in_mode_2_wrong_messages_do_not_keep_a_right_one_out():
    member = Member(mode=AES_PSK)
    chance = random.Random(1)
    for _ in range(200):
        member.rig.exchange(member.frame(b"\x00" + chance.randbytes(30)).encode())
    sealed, answer = exchange(member, READ_BT03)
    opened = sealed.open(answer)
    assert opened and opened.code == Code.OK


@MODES
def test_no_key_stream_covers_two_texts(mode):
    """Requests and answers of a life with losses and replays: two ciphertexts under one nonce
    (mode 0: under one digest) are the same octets."""
    member = Member(mode=mode)
    chance = random.Random(2)
    requests, answers = {}, {}
    for _ in range(120):
        if requests and chance.random() < 0.4:
            apdu = chance.choice(list(requests.values()))
        else:
            number = member.expected + chance.randrange(3)
            command = b"\x3f\x00" + bytes((chance.choice((1, 3, 23)),)) + bytes(4) + b"\x08"
            apdu = member.suite.seal(number, command).apdu
        stream = apdu[-12:-8] if mode else apdu[-8:]
        if requests.setdefault(stream, apdu) != apdu:
            continue  # lost, and its number used again: the store does not do that
        (answer,) = member.rig.exchange(member.frame(apdu).encode())
        if len(answer.body) == 20:  # of a read of 8 octets, no refusal
            assert answers.setdefault(stream, answer.body) == answer.body
    assert len(answers) > 40


def test_a_session_of_the_rig(member):
    """What other tests use (`rig_line`)."""

    async def scenario():
        assert len(await rig_session(member).read(1)) == 24

    asyncio.run(scenario())

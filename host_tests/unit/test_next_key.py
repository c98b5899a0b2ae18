"""EP20: a new key is pending until its first good message, whenever the power goes."""

from fakes import set_number
from oma_client import Client, feed, finish
from osgp.envelope import Envelope
from osgp.membership import NEXT_KEY, Membership
from osgp.procedures import keys
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE
from secured import DIGEST_ERROR, NODE, NUMBER, READ_NAME, SUBNET, WRITE_NAME, Bench
from support import unhex
from tables.model import MASTER

NEW = unhex("01 02 03 04 05 06 07 08 09 0A 0B 0C")
NEWER = unhex("11 12 13 14 15 16 17 18 19 1A 1B 1C")


class Cut(Exception):  # noqa: N818  not an error of the code under test
    """Power went."""


def check(key):
    state = bytearray(8)
    return finish(state, key, feed(state, key, 0, bytes(16)))[:4]


class Device(Bench):
    """A bench that can be offered keys. `old` and `new`: who knows its first and who NEW."""

    def __init__(self):
        super().__init__()
        self.number = NUMBER
        self.member.on_change = self.envelope.rekey
        self.old = self.client
        self.new = Client(NEW, SUBNET, NODE)

    def offer(self, parameters):
        result, length = keys.run(2068, parameters, bytearray(12), self, 0)
        assert length == 0
        return result

    def restart(self):
        self.member = Membership(self.settings)
        self.envelope = Envelope(self.member, self.counter, self.services, MASTER)
        self.member.on_change = self.envelope.rekey

    def good(self, client, command=READ_NAME):
        set_number(self.counter, self.number)
        apdu = client.request(command, self.number)
        self.number += 1
        answer = self.send(apdu)
        if answer == DIGEST_ERROR:
            return False
        assert client.answer(answer)[0] == 0
        return True


def offer_of(key):
    return b"\x00" + key + check(key)


def test_the_old_key_holds_until_the_new_one_is_used():
    device = Device()
    assert device.offer(offer_of(NEW)) == DONE
    for _ in range(3):
        assert device.good(device.old)
    device.restart()
    assert device.good(device.old, WRITE_NAME)
    assert device.good(device.new)
    assert device.member.next_key is None
    assert NEXT_KEY not in device.settings.kept
    assert not device.good(device.old)
    assert device.good(device.new, WRITE_NAME)
    device.restart()
    assert device.good(device.new)
    assert not device.good(device.old)


def test_a_wrong_message_in_between_changes_nothing():
    device = Device()
    device.offer(offer_of(NEW))
    apdu = bytearray(device.new.request(WRITE_NAME, NUMBER))
    before = device.state()
    for k in range(1, len(apdu)):
        apdu[k] ^= 1
        assert device.send(bytes(apdu)) == DIGEST_ERROR
        apdu[k] ^= 1
    assert device.state() == before
    assert device.member.next_key
    assert device.good(device.new)


def test_sixteen_octets_of_which_this_mode_uses_twelve():
    device = Device()
    assert device.offer(b"\x00" + NEW + b"\x55\x66\x77\x88" + check(NEW)) == DONE
    assert device.good(device.new)
    assert bytes(device.member.unicast_key) == NEW + b"\x55\x66\x77\x88"


def test_a_second_offer_takes_the_first_one_s_place():
    device = Device()
    device.offer(offer_of(NEW))
    assert device.offer(offer_of(NEWER)) == DONE
    assert not device.good(device.new)
    assert device.good(Client(NEWER, SUBNET, NODE))


def test_what_is_refused():
    device = Device()
    before = dict(device.settings.kept)
    wrong = bytearray(offer_of(NEW))
    wrong[-1] ^= 1
    assert device.offer(bytes(wrong)) == BAD_PARAMETER
    assert device.offer(b"\x02" + NEW + check(NEW)) == BAD_PARAMETER
    assert device.offer(b"\x01" + NEW + check(NEW) + bytes(4)) == CONFLICT
    assert device.offer(offer_of(b"\xdf" * 12)) == BAD_PARAMETER  # the present one
    for n in range(1, 40):
        assert device.offer(b"\x00" + bytes(n)) in (BAD_PARAMETER, CONFLICT)
    assert device.settings.kept == before
    assert device.member.next_key is None


def test_commissioning_takes_an_offer_back():
    device = Device()
    device.offer(offer_of(NEW))
    draft = device.member.draft()
    draft[20:32] = NEWER
    draft[53] += 1  # as each commissioning does
    device.member.commit(draft)
    assert not device.good(device.new)
    device.restart()
    assert not device.good(device.new)
    assert device.good(Client(NEWER, SUBNET, NODE))


def test_a_change_of_the_address_does_not():
    device = Device()
    device.offer(offer_of(NEW))
    draft = device.member.draft()
    draft[0] = 12
    device.member.commit(draft)
    assert device.good(device.new)


def test_flash_that_fails_leaves_the_old_key():
    device = Device()
    device.offer(offer_of(NEW))
    device.settings.fails = True
    assert not device.good(device.new)
    device.settings.fails = False
    assert device.good(device.old)
    assert device.good(device.new)
    assert not device.good(device.old)


def test_power_may_go_at_every_write():
    for left in range(6):
        device = Device()
        count = [left]

        def spend(*_, count=count):
            count[0] -= 1
            if count[0] < 0:
                raise Cut

        device.settings.on_replace = spend
        remove = device.settings.remove

        def removing(name, spend=spend, remove=remove):
            spend()
            remove(name)

        device.settings.remove = removing
        offered = used = False
        try:
            offered = device.offer(offer_of(NEW)) == DONE
            used = device.good(device.new)
        except Cut:
            pass
        device.settings.on_replace = None
        device.settings.remove = remove
        device.restart()
        if used:
            assert not device.good(device.old)
        if offered:
            assert device.good(device.new)
            assert not device.good(device.old)
        else:
            assert device.good(device.old)
    assert used

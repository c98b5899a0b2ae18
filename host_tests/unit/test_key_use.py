"""Uses of the keys are counted, kept ahead, and end (profile 11)."""

from fakes import set_number
from key_support import MODES, NEW, NEWER, Device, offer_of
from osgp.procedures.results import DONE
from secured import KEY, NUMBER, READ_NAME, WRITE_NAME, client
from support import unhex

ET04 = 2048 + 4
LIMIT = 123
EXPIRES = 58
READ_RESULT = unhex("30 0008")


class House:
    """What a device has: tables, events, settings."""

    def __init__(self, settings, limit):
        self.model = self.events = self
        self.settings = settings
        self.lost = 0
        self.alarms = set()
        self._et04 = bytearray(140)
        self.limit(limit)

    def limit(self, limit):
        self._et04[LIMIT : LIMIT + 4] = limit.to_bytes(4, "little")

    def body(self, number):
        assert number == ET04
        return self._et04

    def alarm(self, place, on):
        assert place == EXPIRES
        if on:
            self.alarms.add(place)
        else:
            self.alarms.discard(place)


class Counted(Device):
    """A device whose keys may be used `limit` times."""

    def __init__(self, mode, limit=1000000):
        super().__init__(mode)
        self.house = self.envelope.house = House(self.settings, limit)

    def restart(self):
        super().restart()
        self.envelope.house = self.house

    def code(self, command, key=KEY):
        """The response code to a command under a key."""
        set_number(self.counter, self.number)
        who = client(self.mode, key)
        apdu = who.request(command, self.number)
        self.number += 1
        return who.answer(self.send(apdu))[0]

    def wrong(self, n):
        for k in range(n):
            self.send(bytes((0, k & 0xFF)) * 10)


def test_good_and_failed_are_counted():
    for mode in MODES:
        device = Counted(mode)
        for _ in range(3):
            assert device.good()
        device.wrong(5)
        device.hear()
        device.hear(NEW)
        assert device.envelope.uses == [3, 5, 1, 1]
        assert device.house.alarms == set()


def test_no_restart_makes_it_less():
    for mode in MODES:
        device = Counted(mode)
        used = 0
        for life in range(6):
            for k in range(life * 100):
                assert device.good()
                used += 1
                if k == 30:
                    device.wrong(3)
            if not life:
                continue
            device.restart()
            assert device.good()
            used += 1
            assert used <= device.envelope.uses[0] <= used + 256 * life
            assert 3 * life <= device.envelope.uses[1] <= (3 + 256) * life


def test_flash_is_written_once_in_256_uses():
    device = Counted(0)
    assert device.good()
    before = device.settings.replaced
    for _ in range(512):
        assert device.good()
    assert device.settings.replaced == before + 2


def test_flash_that_fails_is_tried_again():
    device = Counted(0)
    device.settings.fails = True
    assert device.good()
    assert device.good()
    assert device.house.lost == 2
    device.settings.fails = False
    assert device.good()
    assert device.house.lost == 2
    assert device.envelope.uses[0] == 3


def test_the_alarm_at_eighty_per_cent_of_all_uses():
    for mode in MODES:
        device = Counted(mode, 20)
        device.wrong(10)
        for _ in range(6):
            assert device.good()
            assert not device.house.alarms
        assert device.good()  # it looks before it counts
        assert device.house.alarms == {EXPIRES}
        device.wrong(100)
        assert device.good()  # failures stop nothing


def test_the_alarm_of_the_broadcast_key():
    for mode in MODES:
        device = Counted(mode, 5)
        for k in range(5):
            assert device.house.alarms == set()
            assert device.hear(number=7 + k) is not None
        assert device.hear(number=12) is None
        assert device.house.alarms == {EXPIRES}
        assert device.offer(offer_of(mode, NEW, 1, 7)) == DONE
        assert device.hear(number=12) is None
        assert device.hear(NEW, 7) == 7
        assert device.hear(NEW, 8) == 8
        assert device.house.alarms == set()


def test_a_key_that_is_used_up_is_good_for_its_change_alone():
    for mode in MODES:
        device = Counted(mode, 10)
        for _ in range(10):
            assert device.good()
        change = b"\x14\x08\x0a" + offer_of(mode, NEW)
        before = device.settings.kept.get("BT05")
        assert device.code(READ_NAME) == 3
        assert device.code(WRITE_NAME) == 3
        assert device.code(unhex("40 0007 0003 0A000A")) == 3  # BP10
        assert device.code(unhex("40 0007 0001 14")) == 3
        assert device.code(unhex("4F 0007 000000 0003 140814")) == 3
        assert device.settings.kept.get("BT05") == before
        # these come through: there are no such tables in this model
        assert device.code(b"\x40\x00\x07" + len(change).to_bytes(2, "big") + change) == 5
        assert device.code(READ_RESULT) == 5
        assert device.code(unhex("3F 0008 000000 0004")) == 5
        device.restart()
        assert device.code(READ_NAME) == 3
        assert device.offer(offer_of(mode, NEW)) == DONE
        assert device.code(READ_NAME) == 3
        assert device.good(NEW)
        assert device.envelope.uses[:2] == [1, 0]
        assert device.good(NEW)


def test_each_new_key_starts_at_zero():
    for mode in MODES:
        device = Counted(mode, 100)
        for _ in range(8):
            assert device.good()
        device.restart()
        device.offer(offer_of(mode, NEW))
        assert device.good(NEW)
        assert device.envelope.uses[:2] == [1, 0]
        draft = device.member.draft()
        draft[20:36] = NEWER
        draft[53] += 1  # commissioned anew
        device.member.commit(draft)
        assert device.good(NEWER)
        assert device.envelope.uses[:2] == [1, 0]
        draft = device.member.draft()
        draft[0] = 12  # a change that is none of the key's
        device.member.commit(draft)
        assert device.good(NEWER)
        assert device.envelope.uses[:2] == [2, 0]


def test_a_damaged_count_does_not_stop_the_device():
    device = Counted(0)
    assert device.good()
    device.settings.kept["key uses"] = b"\x00" * 5
    device.restart()
    assert device.good()
    assert device.number == NUMBER + 2

"""EP20 brings a broadcast key and its B: pending until the first good broadcast under it."""

from key_support import MODES, NEW, NEWER, Cut, Device, offer_of
from osgp.membership import NEXT_BROADCAST
from osgp.procedures.results import BAD_PARAMETER, DONE
from secured import BASE, BROADCAST_KEY


def test_the_old_key_holds_until_the_new_one_is_used():
    for mode in MODES:
        device = Device(mode)
        assert device.offer(offer_of(mode, NEW, 1, 0x01020304)) == DONE
        assert device.hear(BROADCAST_KEY, 7) == BASE
        device.restart()
        assert device.hear(BROADCAST_KEY, 9) == 8
        assert device.hear(NEW, 0x01020309) == 0x01020304
        for _ in range(2):
            assert device.member.broadcast_key[:12] == NEW[:12]
            assert device.hear(BROADCAST_KEY, 10) is None
            assert device.good()  # the unicast key stays
            device.restart()
        assert device.hear(NEW, 0x01020310) == 0x0102030A
        assert NEXT_BROADCAST in device.settings.kept  # void: it is the one in force


def test_a_lower_b_comes_with_a_new_key_only():
    for mode in MODES:
        device = Device(mode)
        assert device.offer(offer_of(mode, BROADCAST_KEY, 1, 0)) == BAD_PARAMETER
        assert device.offer(offer_of(mode, NEW, 1, 0)) == DONE
        assert device.member.image[57] == BASE
        assert device.hear(NEW, 0) == 0


def test_both_keys_may_be_pending():
    for mode in MODES:
        device = Device(mode)
        assert device.offer(offer_of(mode, NEW, 1, 1)) == DONE
        assert device.offer(offer_of(mode, NEWER)) == DONE
        device.restart()
        assert device.good(NEWER)
        assert device.hear(BROADCAST_KEY, 7) == BASE
        assert device.hear(NEW, 1) == 1
        assert device.good(NEWER)
        assert not device.good()


def test_a_wrong_broadcast_changes_nothing():
    for mode in MODES:
        device = Device(mode)
        device.offer(offer_of(mode, NEW, 1, 1))
        before = device.state()
        assert device.hear(NEWER, 1) is None
        assert device.state() == before
        assert device.hear(NEW, 1) == 1


def test_commissioning_takes_an_offer_back():
    for mode in MODES:
        device = Device(mode)
        device.offer(offer_of(mode, NEW, 1, 1))
        draft = device.member.draft()
        draft[36:52] = NEWER
        draft[53] += 1  # as each commissioning does
        device.member.commit(draft)
        for _ in range(2):
            assert device.hear(NEW, 1) is None
            device.restart()
        assert device.hear(NEWER, 7) == BASE


def test_power_may_go_at_every_write():
    for mode in MODES:
        for left in range(4):
            device = Device(mode)
            device.cut_after(left)
            offered = used = False
            try:
                offered = device.offer(offer_of(mode, NEW, 1, 40)) == DONE
                used = device.hear(NEW, 41) == 40
            except Cut:
                pass
            device.power()
            if used:
                assert device.hear(BROADCAST_KEY, 7) is None
                assert device.hear(NEW, 41) == 42  # the window has gone on
            elif offered:
                assert device.hear(BROADCAST_KEY, 7) == BASE
                assert device.hear(NEW, 41) == 40
            else:
                assert device.hear(NEW, 41) is None
        assert used

"""EP20: a new key is pending until its first good message, whenever the power goes."""

from key_support import MODES, NEW, NEWER, Cut, Device, offer_of
from osgp.membership import NEXT_KEY
from osgp.procedures.results import BAD_PARAMETER, DONE
from secured import AES, DIGEST_ERROR, KEY, LEGACY, NUMBER, WRITE_NAME, client


def test_the_old_key_holds_until_the_new_one_is_used():
    for mode in MODES:
        device = Device(mode)
        assert device.offer(offer_of(mode, NEW)) == DONE
        for _ in range(3):
            assert device.good()
        device.restart()
        assert device.good(KEY, WRITE_NAME)
        assert device.good(NEW)
        assert device.member.next_key is None
        assert NEXT_KEY not in device.settings.kept
        assert not device.good(KEY)
        assert device.good(NEW, WRITE_NAME)
        device.restart()
        assert device.good(NEW)
        assert not device.good(KEY)


def test_a_wrong_message_in_between_changes_nothing():
    for mode in MODES:
        device = Device(mode)
        device.offer(offer_of(mode, NEW))
        apdu = bytearray(client(mode, NEW).request(WRITE_NAME, NUMBER))
        before = device.state()
        for k in range(1, len(apdu)):
            apdu[k] ^= 1
            answer = device.send(bytes(apdu))
            assert answer[:2] == DIGEST_ERROR
            if mode:  # it proves itself under the key in force
                assert device.client.answer(answer, bytes(apdu)) == b"\x0b"
            apdu[k] ^= 1
        assert device.state() == before
        assert device.member.next_key
        assert device.good(NEW)


def test_sixteen_octets_of_which_mode_0_uses_twelve():
    device = Device(LEGACY)
    parameters = offer_of(LEGACY, NEW)
    assert device.offer(parameters[:13] + NEW[12:] + parameters[13:]) == DONE
    assert device.good(NEW)
    assert device.member.unicast_key == NEW


def test_a_second_offer_takes_the_first_one_s_place():
    for mode in MODES:
        device = Device(mode)
        device.offer(offer_of(mode, NEW))
        assert device.offer(offer_of(mode, NEWER)) == DONE
        assert not device.good(NEW)
        assert device.good(NEWER)


def test_what_is_refused():
    for mode in MODES:
        device = Device(mode)
        before = dict(device.settings.kept)
        wrong = bytearray(offer_of(mode, NEW))
        wrong[-1] ^= 1
        assert device.offer(bytes(wrong)) == BAD_PARAMETER
        assert device.offer(offer_of(mode, NEW, 2)) == BAD_PARAMETER
        assert device.offer(offer_of(mode, NEW, 1)) == BAD_PARAMETER  # no B
        assert device.offer(offer_of(mode, NEW, 0, 1)) == BAD_PARAMETER
        assert device.offer(offer_of(mode, KEY)) == BAD_PARAMETER  # the present one
        for n in range(1, 40):
            for key_id in range(3):
                assert device.offer(bytes((key_id,)) + bytes(n - 1)) == BAD_PARAMETER
        assert device.settings.kept == before
        assert device.member.next_key is None


def test_each_mode_has_its_own_check_and_length():
    device = Device(AES)
    assert device.offer(offer_of(LEGACY, NEW)) == BAD_PARAMETER
    parameters = offer_of(LEGACY, NEW)
    assert device.offer(parameters[:13] + NEW[12:] + parameters[13:]) == BAD_PARAMETER
    assert Device(LEGACY).offer(offer_of(AES, NEW)) == BAD_PARAMETER


def test_commissioning_takes_an_offer_back():
    for mode in MODES:
        device = Device(mode)
        device.offer(offer_of(mode, NEW))
        draft = device.member.draft()
        draft[20:36] = NEWER
        draft[53] += 1  # as each commissioning does
        device.member.commit(draft)
        assert not device.good(NEW)
        device.restart()
        assert not device.good(NEW)
        assert device.good(NEWER)


def test_a_change_of_the_address_does_not():
    for mode in MODES:
        device = Device(mode)
        device.offer(offer_of(mode, NEW))
        draft = device.member.draft()
        draft[0] = 12
        device.member.commit(draft)
        assert device.good(NEW)


def test_flash_that_fails_leaves_the_old_key():
    for mode in MODES:
        device = Device(mode)
        device.offer(offer_of(mode, NEW))
        device.settings.fails = True
        assert not device.good(NEW)
        device.settings.fails = False
        assert device.good()
        assert device.good(NEW)
        assert not device.good()


def test_power_may_go_at_every_write():
    for mode in MODES:
        for left in range(6):
            device = Device(mode)
            device.cut_after(left)
            offered = used = False
            try:
                offered = device.offer(offer_of(mode, NEW)) == DONE
                used = device.good(NEW)
            except Cut:
                pass
            device.power()
            if used:
                assert not device.good()
            if offered:
                assert device.good(NEW)
                assert not device.good()
            else:
                assert device.good()
        assert used

"""The start of the link, against the captured one (`lon.md` 5), and what goes wrong in it."""

from lon_support import NI_SHORT, NULL, UID, Chip, exchange, feed, lpdu, message, packet, uplink
from osgp.lon.mip import Mip
from support import unhex

ASK_ID = unhex("14 22 70 00 05 0000000000000000000000 6D 01 00 00 06 E1")


def started(now: int = 0, chip=None):
    chip = chip or Chip()
    mip = Mip(chip)
    mip.start(now)
    exchange(mip, chip, now)
    return mip, chip


def test_the_captured_octets_of_the_chip_bring_it_up():
    chip = Chip()
    chip.silent = True
    mip = Mip(chip)
    mip.start(0)
    mip.poll(0)
    assert chip.log == [unhex("7E 07 00 7B")]
    feed(mip, unhex("7E 00 00 82"), 1)
    mip.poll(1)
    assert chip.log.pop() == unhex("7E 26 E0 7C")  # the captured one has number 0
    feed(mip, unhex("7E 10 00 72 7E 52 01 2F 05 E0 1E A0 01 00 5C"), 2)
    assert chip.log.pop() == unhex("7E 10 00 72")
    mip.poll(3)
    assert chip.log.pop() == packet(NI_SHORT, 0x42, 2)
    feed(mip, unhex("7E 10 00 72") + packet(NI_SHORT, 0x72, 3), 4)
    mip.poll(5)
    assert chip.log.pop() == unhex("7E 62 01 1F") + ASK_ID
    answer = "16 70 01 07 0000000000000000000000 2D 040000112233"
    assert not mip.up
    feed(mip, unhex("7E 10 00 72") + message(unhex(answer), 4), 6)
    assert mip.up and mip.ready
    assert bytes(mip.uid) == UID
    assert mip.mains_hz == 50


def test_the_frequency_comes_as_data_or_in_the_command():
    for answer in (message(unhex("40 3C")), packet(NI_SHORT, 0x40 + 60)):
        chip = Chip()
        chip.phase_answer = answer
        assert started(0, chip)[0].mains_hz == 60


def test_a_chip_without_phases_comes_up():
    chip = Chip()
    chip.phase_answer = b""
    mip, chip = started(0, chip)
    assert not mip.up
    exchange(mip, chip, 500)
    assert mip.up and mip.mains_hz == 0


def test_layer_2_is_asked_for_when_the_chip_is_in_another():
    chip = Chip()
    chip.layer = 0
    mip, chip = started(0, chip)
    assert mip.up and chip.layer == 1


def test_a_chip_that_resets_to_change_its_layer_is_started_again():
    chip = Chip()
    chip.layer = 0
    mip = Mip(chip)
    mip.start(0)
    obey = chip._obey

    def resets(body):
        if body[0] == 0xD1:
            chip.layer = 1
            chip.up += packet(NI_SHORT, 0x50, 1)
        else:
            obey(body)

    chip._obey = resets
    exchange(mip, chip, 0)
    assert mip.up and mip.resets == 1


def test_a_silent_chip_is_asked_again_every_half_second():
    chip = Chip()
    chip.silent = True
    mip = Mip(chip)
    mip.start(0)
    for now in range(0, 2001, 50):
        mip.poll(now)
    assert chip.log == [unhex("7E 07 00 7B")] * 5
    chip.silent = False
    mip.poll(2500)
    exchange(mip, chip, 2501)
    assert mip.up


def test_an_answer_that_never_comes_starts_anew():
    chip = Chip()
    chip._obey = lambda body: None  # acknowledges, answers nothing
    mip = Mip(chip)
    mip.start(0)
    exchange(mip, chip, 0)
    assert chip.log[-1] == packet(NI_SHORT, 0xE0, 1)
    mip.poll(499)
    assert chip.log[-1] == packet(NI_SHORT, 0xE0, 1)
    mip.poll(500)
    assert chip.log[-1] == unhex("7E 07 00 7B")


def test_no_frame_comes_out_before_the_id_is_known():
    chip = Chip()
    mip = Mip(chip)
    mip.start(0)
    query = uplink(lpdu("01 10 01 85 00 03 61 00"))
    assert feed(mip, query, 0) == []
    exchange(mip, chip, 0)
    assert len(feed(mip, query, 1)) == 1


def test_a_reset_of_the_chip_starts_anew_even_with_a_number_seen_before():
    mip, chip = started()
    feed(mip, message(b"\x31", 1), 10)  # last number seen: 1
    feed(mip, unhex("7E 26 50 0C"), 20)  # captured; the first number after a reset is 1
    assert mip.resets == 1
    assert not mip.up and not mip.ready
    exchange(mip, chip, 20)
    assert mip.up


def test_numbers_start_again_with_the_resynchronisation():
    mip, chip = started()
    mip.start(100)
    mip.poll(100)
    chip.up = b""
    # an old message, still on its way when the chip forgets its numbers
    feed(mip, message(b"\x31", 1), 100)
    feed(mip, packet(NULL), 101)
    assert mip.crc_errors == 1
    feed(mip, message(b"\x31", 1), 102)
    assert mip.crc_errors == 2


def test_a_chip_that_has_gone_is_noticed_and_found_again():
    mip, chip = started()
    pings = len(chip.log)
    now = 0
    while now < 5000:
        mip.poll(now)
        now += 100
    assert len(chip.log) == pings
    exchange(mip, chip, 5000)
    assert chip.log[-2][1:3] == unhex("86 E0")  # status; then the acknowledgement of its answer
    chip.silent = True
    for now in range(10000, 11300, 50):
        mip.poll(now)
    assert not mip.up
    chip.silent = False
    for now in range(11300, 12400, 50):
        exchange(mip, chip, now)
    assert mip.up

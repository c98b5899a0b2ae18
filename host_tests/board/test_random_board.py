"""A challenge is worth what its random octets are: from a source that repeats, nothing."""

import device_time
import pytest
from board_rig import REASON, Board, Numbers, flash_file

from osgp_tools.client import Effort, NoAnswerError

pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.timeout(400)]

ONCE = Effort(0, 1.5)  # where no answer is to come


@pytest.mark.parametrize("source", ["constant", "stuck"])
def test_a_random_source_that_repeats_secures_nothing(tmp_path, source):
    """Nobody makes such a device a member."""
    path = flash_file(tmp_path / "flash")

    async def refused(clock):
        async with Board(path, clock, random=source) as board:
            await board.up()
            with pytest.raises(NoAnswerError):
                await board.commission(board.client(reading=ONCE))
            assert await board.number("device.commissioning.done") == 0

    device_time.run(refused)


@pytest.mark.parametrize("source", ["constant", "stuck"])
def test_a_member_whose_random_source_fails_answers_nothing_secured(member_flash, source):
    async def silent(clock):
        async with Board(member_flash, clock, random=source) as board:
            session = board.session(board.client(reading=ONCE), Numbers(2))
            with pytest.raises(NoAnswerError):
                await board.found(session)

    device_time.run(silent)


def test_a_random_source_that_begins_alike_is_noticed_at_the_second_start(tmp_path):
    """A seed in place of noise: it looks random, and comes again after each power-on."""
    path = flash_file(tmp_path / "flash")

    async def life(clock):
        async with Board(path, clock, random="seed") as board:
            await board.join()
            await board.kill()
            await board.start()
            with pytest.raises(NoAnswerError):
                await board.found(board.session(board.client(reading=ONCE), Numbers(300)))

    device_time.run(life)

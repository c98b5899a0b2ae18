"""A device that is downloaded to goes on metering and answering."""

import asyncio

from update_support import NO_CONFIRM, live, made, stages

from osgp_tools.airtime import SECOND
from osgp_tools.rekey import session_of
from osgp_tools.simulation.street import signed
from osgp_tools.update_device import Stage
from tables.model import MASTER, OK

BT23, BT64 = 23, 64
ENERGY = (1, 4)  # the first register: Wh
LENGTH = 90_000  # octets: a quarter hour ends while they come
END = 1800  # s


def metered(path, image):
    """Registers and load profile after half an hour, in which an image came or not, and how many
    reads were answered meanwhile."""
    path.mkdir()
    street = made(path, 1)
    device = street.network.devices[0]
    answers = []

    async def read(session):
        while True:
            answers.append(int.from_bytes(await session.read(BT23, *ENERGY), "little"))
            await asyncio.sleep(20)

    async def main():
        device.set_clock()
        if image:
            reading = asyncio.create_task(
                read(session_of(street.client, street.vault, street.vault.members()[0]))
            )
            one = street.update(image, NO_CONFIRM)
            await one.download()
            assert stages(one) == [Stage.COMPLETE]
            reading.cancel()
        await asyncio.sleep(END - street.network.channel.now / SECOND)
        found = []
        for table in (BT23, BT64):
            octets = bytearray(device.device.model.size(table))
            assert device.device.model.read(table, 0, len(octets), octets, 0, MASTER) == OK
            found.append(octets)
        return found

    try:
        return live(street, main), answers
    finally:
        street.close()


def test_nothing_is_missed(tmp_path):
    found, answers = metered(tmp_path / "updated", signed(2, LENGTH))
    expected, _ = metered(tmp_path / "left alone", None)
    assert found == expected
    assert any(expected[0]) and any(expected[1])
    assert len(answers) > 20
    assert sorted(answers) == answers and answers[1] < answers[-1]

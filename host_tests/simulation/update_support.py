"""Streets that are updated, and what tests ask of them."""

import asyncio

from osgp_tools import groups
from osgp_tools.rekey import session_of
from osgp_tools.simulation import Network, run
from osgp_tools.simulation.street import Street, signed
from osgp_tools.suites import AES_PSK
from osgp_tools.update import GROUP, Plan, Update
from osgp_tools.update_status import look

BROADCAST, ONE_BY_ONE = Plan(), Plan(by_broadcast=False)
NO_CONFIRM = Plan(confirm=False)
NEW, OTHER = signed(2), signed(3)
HOUSES = 4


def made(tmp_path, devices=HOUSES, modes=(AES_PSK,), loss=0.0):
    return Street(tmp_path, Network(devices=devices, powered=False, loss=loss), modes)


def live(street, main):
    async def all_of_it():
        await street.build()
        return await main()

    return run(all_of_it, street.network.channel)


async def until(condition):
    """Looked at so often that little is missed."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("waited in vain")


async def kill(street, task):
    """SIGKILL for the concentrator: nothing is given back. It is started again."""
    street.network.client_link.heard.clear()
    street.vault._numbers.clear()
    street.vault.close()
    street.kept.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    street.start()


async def statuses(street):
    return [
        await look(session_of(street.client, street.vault, one)) for one in street.vault.members()
    ]


def stages(one: Update):
    return [part.stage for part in one.parts]


def refusals(one: Update):
    return [part.refusal for part in one.parts]


async def in_group(street):
    sessions = [session_of(street.client, street.vault, one) for one in street.vault.members()]
    return [GROUP in await groups.read(session) for session in sessions]


def holds(street, k, image, bank=1):
    octets = bytearray(len(image.octets))
    street.network.devices[k].keeping.banks[bank].read(0, octets)
    return octets == image.octets


def needs(street, k, packet):
    """Looked up in the device's flash."""
    flag = bytearray(1)
    street.network.devices[k].keeping.banks[1].read(0x2F010 + packet, flag)
    return flag != b"\0"


def counted(street, k):
    device = street.network.devices[k].device
    return device.download.received if device and device.download else 0

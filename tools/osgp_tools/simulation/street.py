"""A street of simulated devices that run from banks, their concentrator, and a key that signs
what they are sent."""

import asyncio
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pyhsslms import pyhsslms as lms

from osgp_tools.airtime import SECOND
from osgp_tools.client import Client, Target
from osgp_tools.discovery import DISCOVERY
from osgp_tools.image import SIGNATURE
from osgp_tools.image_check import signed_with
from osgp_tools.membership import InstallationKeys, commission
from osgp_tools.simulation import Network, banks, run
from osgp_tools.simulation.work import MEMORY
from osgp_tools.store import Member, Vault
from osgp_tools.suites import AES_PSK
from osgp_tools.topology import Topology
from osgp_tools.update import Listener, Plan, Update
from osgp_tools.update_packets import Image
from osgp_tools.update_store import Downloads

SMALL = 4096 + 1500  # octets: 100 packets


@lru_cache(maxsize=1)
def _key() -> lms.HssPrivateKey:
    """Not a secret: it signs what nobody can run."""
    kind, seed = lms.lms_sha256_m32_h5, bytes(range(32))
    root = lms.LmsPrivateKey(kind, lms.lmots_sha256_n32_w4, seed, bytes(16), 0)
    return lms.HssPrivateKey(1, kind, lms.lmots_sha256_n32_w4, prvs=[root])


def public_key() -> bytes:
    return _key().publicKey().serialize()


@lru_cache
def signed(version: int, length: int = SMALL, seed: int = 0) -> Image:
    """The same key signs again and again: it stays in here."""
    unsigned = banks.image(length, version, seed=seed)
    return Image(signed_with(unsigned, _key().sign(unsigned[:SIGNATURE])))


class Street:
    """Members of a network. Its devices begin with version 1, by cable."""

    def __init__(self, path: Path, network: Network, modes: Sequence[int] = (AES_PSK,)) -> None:
        """`network`: not powered yet. `modes`: of its devices, in turn."""
        self.path = path / "vault.db"
        self.network = network
        self.modes = modes
        for one in network.devices:
            banks.give(one.keeping, banks.image(SMALL, 1), public_key())
            one.power()
        self.start()

    def start(self) -> None:
        """A concentrator, with what is on its disk."""
        self.client = Client(self.network.client_link)
        self.vault = Vault(self.path)
        self.kept = Downloads(self.path)

    def close(self) -> None:
        self.vault.close()
        self.kept.close()

    async def build(self, known: Topology | None = None) -> None:
        """Everybody becomes a member, the nearest first; over repeaters, if ways are known."""
        await asyncio.sleep(3)
        self.client.routes = known or self.client.routes
        for k, one in enumerate(self.network.devices):
            place = self.vault.new_place(one.unique_id, self.modes[k % len(self.modes)])
            key = InstallationKeys().of(one.unique_id)
            await commission(self.client, Target(DISCOVERY, unique_id=one.unique_id), key, place)
            self.vault.admit(one.unique_id, place)
            if known:
                known.admit(one.unique_id, Target(place.domain, place.subnet, place.node))

    def update(self, image: Image, plan: Plan, members: Sequence[Member] = ()) -> Update:
        """`members`: all, if none are named."""
        members = members or self.vault.members()
        return Update(self.client, self.vault, self.kept, image, members, plan)


class _Marks(Listener):
    """When each phase began, in seconds of the channel."""

    def __init__(self, network: Network) -> None:
        self.began: dict[str, float] = {}
        self._network = network

    def phase(self, text: str) -> None:
        self.began.setdefault(text, self._network.channel.now / SECOND)


def carry(network: Network, octets: int, loss: float) -> tuple[Update, dict[str, float]]:
    """An image gets to everybody by broadcast, on a line that begins to lose frames when they are
    members. `network`: not powered yet. The update, and when its phases began."""
    with TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None) as folder:
        street = Street(Path(folder), network)
        marks = _Marks(network)

        async def main() -> Update:
            await street.build()
            network.channel.loss = loss
            update = street.update(signed(2, octets), Plan())
            update.listener = marks
            await update.download()
            return update

        try:
            return run(main, network.channel, seed=network.seed), marks.began
        finally:
            street.close()

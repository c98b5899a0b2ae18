"""The command that changes keys."""

from typing import Annotated

import typer

from osgp_tools import access, topology_store
from osgp_tools.cli_access import STORE, LineOption, PcapOption, StoreOption, wait_for
from osgp_tools.client import Client, NoAnswerError
from osgp_tools.rekey import change_broadcast_key, change_key, session_of
from osgp_tools.session import SessionError
from osgp_tools.store import Vault


def rekey(
    line: LineOption,
    device: Annotated[str, typer.Argument(help="a member: its unique id, or subnet/node")] = "",
    broadcast: Annotated[
        bool, typer.Option("--broadcast", help="the broadcast key, of all members")
    ] = False,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Give a member a new key, or all members a new broadcast key; goes on where it stopped."""
    if bool(device) == broadcast:
        raise ValueError("whose key? name a member, or give --broadcast")

    async def work() -> None:
        with access.open_vault(store) as vault:
            member = None if broadcast else vault.find(device)
            async with access.open_port(line, pcap) as port:
                client = Client(port)
                with topology_store.kept(client, store, vault):
                    if member is None:
                        await rekey_all(client, vault)
                        return
                    session = session_of(client, vault, member)
                    await change_key(session, vault, member.unique_id)
                    print(f"{member.unique_id.hex()} has a new key")

    wait_for(work())


async def rekey_all(client: Client, vault: Vault) -> None:
    """The broadcast key that the vault offers, to everybody who does not have it.

    Broadcasts go under it once all have been asked and one has taken it: a member that is away is
    left out of them until this goes on with it. NoAnswerError: there are such members.
    """
    new = vault.offer_broadcast_key()
    missing = vault.without_broadcast_key()
    silent = 0
    for member in missing:
        who = f"{member.unique_id.hex()} ({member.subnet}/{member.node})"
        try:
            await change_broadcast_key(session_of(client, vault, member), member, new)
        except (NoAnswerError, SessionError) as error:
            silent += 1
            print(f"{who}: {error}", flush=True)
            continue
        vault.give_broadcast_key(member.unique_id)
        print(f"{who} has it", flush=True)
    members = len(vault.members())
    if silent < members or not members:
        vault.take_broadcast_key()
        print("broadcasts go under the new key", flush=True)
    if silent:
        raise NoAnswerError(f"{silent} members do not have the broadcast key yet: do it again")

"""A port on a simulated transceiver: up, frames both ways, and what happens when the line goes."""

import asyncio
import os

import pytest

from osgp_tools.line_server import LineServer, Options
from osgp_tools.lpdu import APDU, BROADCAST, Frame
from osgp_tools.port import LinkError, Port

PIN = Frame(pdu=APDU, address=BROADCAST, body=b"\x7f" + bytes(14)).encode()


def run(scenario, tmp_path):
    """Run a scenario(server, names) on a line with a pseudo terminal and a TCP port."""

    async def main():
        where = [f"pty:{tmp_path / 'one'}", "tcp:0"]
        async with LineServer(Options(where, speed=0, seed=1)) as server:
            return await scenario(server, [t.endpoint.name for t in server.transceivers])

    return asyncio.run(main())


def test_frames_pass_from_a_terminal_to_a_tcp_port_and_back(tmp_path):
    async def scenario(server, names):
        one, other = await Port.open(names[0]), await Port.open(names[1])
        assert one.unique_id == server.transceivers[0].chip.node.node_id != other.unique_id
        said = []
        one.said.append(said.append)
        for sender, receiver in ((one, other), (other, one)):
            heard = asyncio.Queue()
            receiver.heard.append(heard.put_nowait)
            for k in range(3):
                octets = Frame(pdu=APDU, address=BROADCAST, body=bytes((k, 0x7E, 0x7E))).encode()
                await sender.send(octets)
                assert await asyncio.wait_for(heard.get(), 2) == octets
        assert len(said) == 3
        assert one.damaged == 0
        server.transceivers[0].chip.crc_error(0)
        await other.send(PIN)
        await asyncio.wait_for(heard.get(), 2)  # it came up before this one did
        assert one.damaged == 1
        one.close()
        other.close()

    run(scenario, tmp_path)


def test_a_transceiver_that_resets_is_started_again(tmp_path):
    async def scenario(server, names):
        one, other = await Port.open(names[0]), await Port.open(names[1])
        heard = asyncio.Queue()
        other.heard.append(heard.put_nowait)
        server.transceivers[0].reset()
        await asyncio.sleep(0.01)
        await asyncio.wait_for(one.send(PIN), 5)
        assert await asyncio.wait_for(heard.get(), 2) == PIN
        assert one.link.resets == 1
        one.close()
        other.close()

    run(scenario, tmp_path)


def test_a_line_that_goes_ends_the_port(tmp_path):
    async def scenario(server, names):
        port = await Port.open(names[1])
        server.transceivers[1].endpoint.close()
        await asyncio.sleep(0.05)
        with pytest.raises(LinkError, match="gone"):
            await port.send(PIN)
        port.close()

    run(scenario, tmp_path)


@pytest.mark.parametrize(
    "where", ["tcp:1", "tcp:no", "pty:/nowhere/at/all", "/nowhere/at/all", "tcp:"]
)
def test_what_cannot_be_opened_says_so(where):
    with pytest.raises(LinkError, match="cannot open"):
        asyncio.run(Port.open(where))


def test_a_terminal_on_which_nobody_answers(tmp_path):
    async def scenario():
        master, slave = os.openpty()
        try:
            with pytest.raises(LinkError, match="no transceiver answers"):
                await Port.open(os.ttyname(slave), patience=0.05)
        finally:
            os.close(master)
            os.close(slave)

    asyncio.run(scenario())

"""The concentrator's transactions: numbers, tries, whose answer counts (lon.md 2, profile 18a)."""

import asyncio

import pytest
from fake_line import DISCOVERY, FakeDevice, FakeLine

from osgp_tools import lpdu
from osgp_tools.airtime import limit_seconds
from osgp_tools.client import READING, WRITING, Client, Effort, NoAnswerError, Target

FAST = Effort(4, 0.02)
KEY = bytes(range(12))


def run(scenario):
    """Run a scenario(line, client, device) on a line with one commissioned device, 1/5."""

    async def main():
        line = FakeLine()
        device = FakeDevice(1)
        device.join(1, 5, KEY, 1)
        line.devices.append(device)
        return await scenario(line, Client(line, silence=0), device)

    return asyncio.run(main())


def member(node=5):
    return Target(b"OSG", 1, node)


def test_numbers_start_at_0_once_and_go_round_from_1_to_15():
    async def scenario(line, client, device):
        for k in range(17):
            await client.request(member(), bytes((0x62, k & 1)), FAST)
        return [frame.tid for frame in line.down]

    assert run(scenario) == [0, *range(1, 16), 1]


def test_a_destination_does_not_get_its_last_number_again():
    async def scenario(line, client, device):
        await client.request(member(), b"\x62\x01", FAST)
        for _ in range(15):  # 1..15 to somebody else, so that 1 would be next
            await client.request(Target(DISCOVERY, unique_id=device.unique_id), b"\x62\x01", FAST)
        await client.request(member(), b"\x62\x01", FAST)  # 1
        for _ in range(14):
            await client.request(Target(DISCOVERY, unique_id=device.unique_id), b"\x62\x01", FAST)
        await client.request(member(), b"\x62\x00", FAST)
        return [f.tid for f in line.down if f.address == lpdu.SUBNET_NODE]

    assert run(scenario) == [0, 1, 2]


def test_a_retry_is_the_same_transaction_with_backlog_twice_and_the_other_carrier_at_the_end():
    async def scenario(line, client, device):
        line.faults = lambda frame, down: []
        with pytest.raises(NoAnswerError, match="1/5: no answer to 5 tries"):
            await client.request(member(), b"\x51", FAST)
        assert client.last.sent == 5 and client.last.answer_octets == 0
        assert client.last.seconds >= 5 * FAST.timer
        assert client.statistics.retries == 4 and client.statistics.failed == 1
        return line.down

    sent = run(scenario)
    assert [frame.delta_backlog for frame in sent] == [1, 1, 0, 0, 0]
    assert [frame.alt_path for frame in sent] == [False, False, False, True, True]
    assert len({(frame.tid, frame.body) for frame in sent}) == 1


def test_a_lost_request_and_a_lost_answer_are_repeated_and_executed_once():
    async def scenario(line, client, device):
        fate = iter(
            (False, True, False, True, True)
        )  # request lost; request, answer lost; both come
        line.faults = lambda frame, down: [frame] if next(fate) else []
        answer = await client.request(member(), b"\x47\x01" + bytes(8), FAST)
        assert client.last.sent == 3
        return answer, device.nd

    answer, nd = run(scenario)
    assert answer == b"\x47\x01" + nd


@pytest.mark.parametrize(
    "change",
    [
        {"tid": 9},
        {"source": (1, 6)},
        {"domain": b"XXX"},
        {"destination": (1, 126)},
        {"kind": lpdu.REQUEST},
        {"pdu": lpdu.TPDU},
    ],
)
def test_an_answer_of_another_transaction_is_passed_over(change):
    async def scenario(line, client, device):
        def forged_first(frame, down):
            return [frame] if down else [frame.with_(body=b"forged", **change), frame]

        line.faults = forged_first
        return await client.request(member(), b"\x62\x01", FAST)

    assert run(scenario) == b"\x22"


def test_an_answer_that_the_caller_does_not_accept_is_counted_and_passed_over():
    async def scenario(line, client, device):
        line.faults = lambda f, down: [f] if down else [f.with_(body=b"\x00\x00"), f]
        answer = await client.request(member(), b"\x62\x01", FAST, lambda apdu: apdu == b"\x22")
        return answer, client.statistics.foreign

    assert run(scenario) == (b"\x22", 1)


def test_a_broadcast_gathers_every_answer_of_its_window():
    async def scenario(line, client, device):
        line.devices += [FakeDevice(2), FakeDevice(3)]
        for one in line.devices:
            one.selected = True
        answers = await client.collect(DISCOVERY, b"\x61\x01", 0.05)
        assert line.down[-1].delta_backlog == 15 and line.down[-1].address == lpdu.BROADCAST
        return sorted(answer.body[1:7] for answer in answers)

    assert run(scenario) == [bytes((4, 0, 0, 0, 0, k)) for k in (1, 2, 3)]


def test_one_transaction_at_a_time():
    async def scenario(line, client, device):
        line.devices.append(FakeDevice(2))
        line.devices[1].join(1, 6, KEY, 1)
        await asyncio.gather(
            *(client.request(member(5 + k % 2), b"\x62\x01", FAST) for k in range(6))
        )
        return client.statistics

    statistics = run(scenario)
    assert (statistics.exchanges, statistics.frames, statistics.foreign) == (6, 12, 0)


def test_service_pins_are_delivered():
    async def scenario(line, client, device):
        pressed = []
        client.service_pin = lambda unique_id, program: pressed.append((unique_id, program))
        pin = lpdu.Frame(pdu=lpdu.APDU, address=lpdu.BROADCAST, body=b"\x7f" + bytes(range(14)))
        line.say(pin)
        line.say(pin.with_(body=b"\x7f" + bytes(13)))  # cut short: none
        await asyncio.sleep(0.01)
        return pressed

    assert run(scenario) == [(bytes(range(6)), bytes(range(6, 14)))]


def test_octets_that_are_no_frame_do_no_harm():
    async def scenario(line, client, device):
        for listener in line.heard:
            for length in range(12):
                listener(bytes(length))
        return await client.request(member(), b"\x62\x01", FAST)

    assert run(scenario) == b"\x22"


def test_the_node_is_silent_after_its_start():
    async def scenario(line, client, device):
        quiet = Client(line, silence=0.1)
        started = asyncio.get_running_loop().time()
        await quiet.request(member(), b"\x62\x01", FAST)
        return asyncio.get_running_loop().time() - started

    assert run(scenario) >= 0.099


def test_efforts_end_before_a_device_forgets_the_first_try():
    for effort, least in ((READING, 1.536), (WRITING, 2.048)):
        assert effort.timer >= least
        assert (effort.retries + 1) * effort.timer < 8.192
    with pytest.raises(ValueError, match="forgotten"):
        Effort(3, 2.048)


def test_one_way_is_the_request_s_share_of_the_round_trip():
    async def scenario(line, client, device):
        await client.request(member(), b"\x62\x01", FAST)
        return client.last

    last = run(scenario)
    assert (last.request_octets, last.answer_octets) == (14, 13)
    there, back = limit_seconds(14), limit_seconds(13)
    assert last.one_way() == pytest.approx(last.seconds * there / (there + back))
    assert last.one_way(8) == pytest.approx(last.seconds * limit_seconds(22) / (there + back))


def test_a_cancellation_is_not_lost_when_the_answer_comes_with_it():
    """asyncio.wait_for of Python 3.11 lost it, and a Ctrl-C with it."""

    async def scenario(line, client, device):
        for turns in range(4):
            asking = asyncio.ensure_future(client.request(member(6), b"\x51", Effort(0, 5.0)))
            for _ in range(10):  # turns of the loop, until it waits
                await asyncio.sleep(0)
            assert line.down
            client._waiting.answers.put_nowait((b"", lpdu.Frame(body=b"\x31")))
            for _ in range(turns):
                await asyncio.sleep(0)
            if asking.done():
                break
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            line.down.clear()

    run(scenario)

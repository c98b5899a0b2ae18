"""Messages along a path of repeaters, as the host builds and reads them (`lon.md` 3)."""

import pytest

from osgp_tools import ltep
from osgp_tools.ltep import (
    AGENT_READS,
    AGENT_WRITES,
    Hop,
    Message,
    RepeatingError,
    Timing,
    decode,
    device,
    everybody,
    group,
    node,
    room,
    schedule,
    timer_code,
    timer_seconds,
    unwrap,
    wrap,
)

UNIQUE_ID = bytes.fromhex("0400AABBCCDD")
# observed from an independent stack: the message that came, the one that was sent on
OBSERVED = (
    ("4D 01 07 0C 3B 2C 3B 08 0D 51", Hop(7, 12), "4D 00 2C 3B 08 0D 51"),
    ("4D 82 0C 8D 3B 2C 3B 08 0D 51", Hop(0, 12), "4D 81 8D 3B 2C 3B 08 0D 51"),
    ("4D 12 8C 0D 3B 2C 3B 08 0D 51", Hop(0, 12, True), "4D 11 0D 3B 2C 3B 08 0D 51"),
)
ALSO_OBSERVED = (
    "4D 00 2C 3B 07 0C 51",
    "4D 00 CC 3B 04 00 AA BB CC DD 61 00",
    "4D 00 68 1B 00 00 12 EE",
)


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize("text", [each[0] for each in OBSERVED] + list(ALSO_OBSERVED))
def test_observed_messages_there_and_back(text):
    assert decode(octets(text)).encode() == octets(text)


@pytest.mark.parametrize(("came", "hop", "passed"), OBSERVED)
def test_what_a_repeater_makes_of_it(came, hop, passed):
    to, message = decode(octets(came)).passed_on()
    assert to == hop and message.encode() == octets(passed)


def test_the_fields():
    message = decode(octets("4D 42 07 0C 08 8D 51 3B 2C 09 0E 51"))
    assert message.hops == (Hop(7, 12), Hop(8, 13, True))
    assert message.between == Timing(5, 17) and message.long_timer
    assert message.service == ltep.ACKD + 2 and message.mode == 3
    message = decode(octets("4D 00 2E 3B 01") + bytes(range(12)) + octets("09 0E 51"))
    assert message.key_delta == bytes(range(12)) and message.apdu == b"\x51"
    assert message.target == node(9, 14) and message.encode()[4] == ltep.OMA_KEY


def test_wrap_names_the_first_hop_and_the_shortest_form():
    times = schedule(3)
    path = [Hop(5, 1), Hop(5, 2), Hop(5, 3, True)]
    first, apdu = wrap(path, device(UNIQUE_ID), b"\x51", times)
    assert first == Hop(5, 1)
    assert apdu[:3] == octets("4D 82 02")  # uniform by destination
    path[2] = Hop(6, 3)
    apdu = wrap(path, device(UNIQUE_ID), b"\x51", times)[1]
    assert apdu[:6] == octets("4D 02 05 02 06 03")
    first, apdu = wrap(path[:1], node(7, 12), b"\x51", schedule(1))
    assert first == path[0] and apdu == octets("4D 00 2C 3D 07 0C 51")


def test_services_and_targets():
    options = {"service": ltep.UNACKD_RPT, "mode": ltep.ATTENUATED, "alt_path": True}
    for target in (everybody(), group(7), group(7, 3), node(1, 2), device(UNIQUE_ID, 4)):
        apdu = wrap([Hop(5, 1)], target, b"\x12", schedule(1), **options)[1]
        message = decode(apdu)
        assert message.target == target and message.apdu == b"\x12"
        assert (message.service, message.mode, message.alt_path) == (1, 3, True)


def test_the_longest_path_fits():
    path = [Hop(5, k) for k in range(1, 17)]
    assert room(path, device(UNIQUE_ID)) == 88
    assert room([Hop(k, k) for k in range(1, 17)], device(UNIQUE_ID)) == 114 - 41
    assert room(path[:1], device(UNIQUE_ID)) == 104
    with pytest.raises(ValueError, match="a device takes 160"):
        wrap(path, device(UNIQUE_ID), bytes(135), schedule(16))
    with pytest.raises(ValueError, match="15 at most"):
        wrap([Hop(5, k) for k in range(1, 18)], device(UNIQUE_ID), b"\x51", schedule(16))
    with pytest.raises(ValueError, match="1 to 16"):
        schedule(17)


def test_what_is_no_message():
    whole = octets("4D 01 07 0C 3B 2C 3B 08 0D")
    for n in range(len(whole)):
        with pytest.raises(ValueError):
            decode(whole[:n])
    with pytest.raises(ValueError, match="key delta"):
        Message(node(1, 2), b"\x51", mode=ltep.ALTERNATE_KEY).encode()
    with pytest.raises(ValueError, match="long timer"):
        Message(node(1, 2), b"\x51", agent=Timing(1, 16)).encode()


def test_answers():
    assert unwrap(octets("31 02")) == octets("31 02")
    assert unwrap(octets("4D")) == b""
    with pytest.raises(RepeatingError) as failure:
        unwrap(octets("4C 02"), 5)
    assert (failure.value.left, failure.value.index, failure.value.busy) == (2, 2, False)
    with pytest.raises(RepeatingError) as failure:
        unwrap(octets("4C 80"), 5)
    assert (failure.value.left, failure.value.index, failure.value.busy) == (0, 4, True)


def test_timers():
    assert [round(1000 * timer_seconds(code)) for code in range(20)] == [
        *(16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072),
        *(4096, 6144, 8192, 12288),
    ]
    assert timer_code(3.073) == 16 and timer_code(0.001) == 0


@pytest.mark.parametrize("hops", range(1, 17))
@pytest.mark.parametrize("agent", (AGENT_READS, AGENT_WRITES))
def test_schedules_keep_what_devices_remember(hops, agent):
    times = schedule(hops, 114, agent)
    assert times.agent.window < 8.192  # the target's receive timer (profile 18a)
    assert times.source.seconds < 24.576 / 4  # a repeater's, after its answer
    # the source still waits when the last repeater has given up, and its failure has come back
    worst = times.agent.window + hops * 1.0
    assert times.source.window + times.patience >= worst
    assert times.source.retries <= 15 and (times.between is None) == (hops == 1)


def test_more_loss_more_retries():
    retries = [schedule(4, loss=loss).source.retries for loss in (0.0, 0.05, 0.2, 0.4)]
    assert retries == sorted(set(retries))

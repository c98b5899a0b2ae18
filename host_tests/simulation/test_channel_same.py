"""What made the channel fast changed nothing: frames, receptions, errors and their moments are
those of the channel as it was before, whose hashes these are.
"""

import hashlib
import random

import pytest

from osgp_tools.airtime import SECOND
from osgp_tools.channel import Channel
from osgp_tools.link_budget import Link

BEFORE = {
    (1, 40, 400, 0.1): "df7e8be933033dbd22073fc78401d2daec6b1a3df151d3a4a16a829a206e79f1",
    (2, 120, 1500, 0.0): "5a41c9e11b1cf2de33bfdf5162adce068f425c338eb3f23beeeb6046edc6ab92",
    (3, 12, 800, 0.4): "43c5f1e1d80d97bdc1b987ce0590dac655857a0d7c259fd02f3a521f3147abda",
}


class Ear:
    """Everything that one station is told goes into the hash."""

    def __init__(self, channel, k, log):
        self.station = channel.attach(
            lambda lpdu, signal: log.update(
                b"R%d %d %d %d %d" % (k, channel.now, len(lpdu), signal.phase, signal.levels)
            ),
            lambda: log.update(b"E%d %d" % (k, channel.now)),
            lambda: log.update(b"S%d %d" % (k, channel.now)),
            phase=k % 3,
        )


def lived(seed, count, frames, loss):
    """A crowded line: neighbours over links good and bad, priority, attenuation, cancelling."""
    rng = random.Random(seed)
    channel = Channel(seed=seed, loss=loss, link=Link(-90, -9))
    log = hashlib.sha256()
    stations = [Ear(channel, k, log).station for k in range(count)]
    for a in range(count):
        for b in range(a + 1, min(a + 8, count)):
            margin = rng.uniform(-3, 36)
            link = Link(margin - 45, margin)
            channel.set_link(stations[a], stations[b], link, both_ways=rng.random() < 0.9)
    channel.tap = lambda when, sender, _: log.update(b"T%d %d" % (when, sender.index))
    for _ in range(frames):
        sender = stations[rng.randrange(count)]
        lpdu = bytes((rng.choice((0, 1, 4, 64)),)) + rng.randbytes(rng.randrange(8, 110))
        at = int(rng.uniform(0, frames * 0.08) * SECOND)
        sender.send(lpdu, at, priority=rng.random() < 0.2, attenuate=rng.random() < 0.2)
        if rng.random() < 0.02:
            moment = int(rng.uniform(0, frames * 0.08) * SECOND)
            channel.call_at(moment, stations[rng.randrange(count)].cancel)
    channel.advance(frames * SECOND)
    return log.hexdigest()


@pytest.mark.parametrize("case", BEFORE)
def test_the_same_as_before(case):
    assert lived(*case) == BEFORE[case]

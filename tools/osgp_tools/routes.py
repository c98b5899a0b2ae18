"""How a message gets to its target: directly, or wrapped for the repeaters of a way.

Clauses: `profile.md` 18a (timers) and 20 (repeating); `ltep` has the octets and the times.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from osgp_tools import ltep
from osgp_tools.exchange import DIRECT, Effort, Target, Way


class Routes(Protocol):
    """What knows the ways to targets."""

    def ways(self, target: Target) -> Iterable[Way]:
        """The best way first, then others; each is asked for when the one before it has failed."""
        ...


class Direct:
    """The routes of somebody who knows none: everybody is in reach, or nobody."""

    def ways(self, target: Target) -> Iterable[Way]:
        return (DIRECT,)


@dataclass(frozen=True)
class Sending:
    """What goes out for one transaction, and how long is waited for its answer."""

    to: Target  # who hears it from us
    apdu: bytes
    retries: int
    timer: float  # s to wait after a try
    patience: float  # s to wait after the last one


def plan(
    target: Target, way: Way, apdu: bytes, effort: Effort, service: int = ltep.REQUEST
) -> Sending:
    """`service`: between the agent and the target. Raises ValueError: the devices of the way could
    not take so long a message."""
    if not way.hops:
        return Sending(target, apdu, effort.retries, effort.timer, effort.timer)
    agent = ltep.Timing(effort.retries, min(ltep.timer_code(effort.timer), 15))
    times = ltep.schedule(len(way.hops), agent=agent)
    first, wrapped = ltep.wrap(way.hops, _address(target), apdu, times, service=service)
    to = Target(way.domain, first.subnet, first.node)
    return Sending(to, wrapped, times.source.retries, times.source.seconds, times.patience)


def room(target: Target, way: Way) -> int:
    """Octets of an APDU that every device of the way takes."""
    return ltep.room(way.hops, _address(target)) if way.hops else ltep.COMMON


def _address(target: Target) -> ltep.Address:
    if target.unique_id:
        return ltep.device(target.unique_id)
    return ltep.node(target.subnet, target.node) if target.node else ltep.everybody(target.subnet)

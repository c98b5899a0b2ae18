"""Rare: procedures of demand and self reads.

    BP09 {action 1: bit 0 demand reset, bit 1 self read} -> the same bits, what was done
    EP32 {BIDN 2, sub-interval 1, multiplier 1, sources 8}   EP33: the same, with a demand reset
    EP34: demand reset   EP64: BT24 becomes all zero

(C12.19 procedure 9; of the extended ones the names are public and the parameters by profile.)
"""

from micropython import const

import rare
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE, TIMING

_REMOTE_RESET = const(9)
_CONFIGURE = const(2048 + 32)
_CONFIGURE_AND_RESET = const(2048 + 33)
_RESET = const(2048 + 34)

_DEMAND = const(1)  # bits of BP09
_SELF_READ = const(2)
_PROCEDURE = const(1)  # reason of a demand reset (MEP p.111)

_BT22 = const(22)
_SOURCES = const(15)  # octet of BT22 at which the demand sources begin
_BT24 = const(24)
_ET40 = const(2048 + 40)
_ET40_LOCKOUT = const(2)
_ET42 = const(2048 + 42)
_ET42_INTERVAL = const(19)

_DAY_MINUTES = const(1440)


def run(number, parameters, response, device, now):
    """See above."""
    if number == _REMOTE_RESET:
        return _remote_reset(parameters[0], response, device), 1
    if number == _CONFIGURE:
        return _configure(number, parameters, device), 0
    if number == _RESET:
        return _reset(device), 0
    if number == _CONFIGURE_AND_RESET:
        result = _check(parameters, device.model)
        result = _reset(device) if result == DONE else result
        return _configure(number, parameters, device) if result == DONE else result, 0
    device.model.patch(_BT24, 0, bytes(device.model.size(_BT24)))
    return DONE, 0


def _remote_reset(action, response, device):
    if action & ~(_DEMAND | _SELF_READ) or not action:
        return BAD_PARAMETER
    if action & _DEMAND and _locked(device):
        return TIMING
    if action & _SELF_READ:
        rare.run("meter.self_read", device.application)
    if action & _DEMAND:
        rare.run("meter.demand_reset", device.application, _PROCEDURE)
    response[0] = action
    return DONE


def _reset(device):
    if _locked(device):
        return TIMING
    rare.run("meter.demand_reset", device.application, _PROCEDURE)
    return DONE


def _locked(device) -> bool:
    """Whether the last demand reset was a moment ago (ET40)."""
    image = device.model.load(_ET40)
    lockout = image[_ET40_LOCKOUT] | image[_ET40_LOCKOUT + 1] << 8
    demand = device.application.demand
    registers = device.application.registers
    since = registers.second // 60 - demand.minute
    since += _DAY_MINUTES * (registers.day - demand.day)
    return demand.day > 0 and 0 <= since < lockout


def _check(parameters, model):
    """This meter has one configuration of demands: that of ET42 and BT22."""
    wanted = parameters[2:]
    here = model.load(_ET42)[_ET42_INTERVAL : _ET42_INTERVAL + 2]
    here += model.load(_BT22)[_SOURCES : _SOURCES + len(wanted) - 2]
    return DONE if here == wanted else CONFLICT


def _configure(number, parameters, device):
    """The BIDN is all that can change; then the interface definition has another version."""
    result = _check(parameters, device.model)
    if result == DONE:
        bidn = parameters[0] | parameters[1] << 8
        rare.run("osgp.interface", device, number, bidn, True)
    return result

"""The places in tables that `meter/control.py` and its rare modules know are the definitions'; the
device as a whole switches (in place of typed-in offsets)."""

import importlib

import pytest

import ticks
from osgp_tools.model import TABLES, decode, default, encode, field
from rig import Member
from tables import definitions, layout

MODULES = (
    "meter.control",
    "meter.limits",
    "meter.credit",
    "meter.disconnect",
    "meter.schedule",
    "osgp.procedures.control",
)
NUMBERS = {"ET05": 2053, "ET30": 2078, "ET46": 2094, "ET55": 2103, "BT54": 54}
# constants that are places, and are not called as their fields are
OTHERS = {
    "_STATE": (2078, "state"),
    "_REASON": (2078, "reason"),
    "_FLAGS": (2078, "flags"),
    "_LIMIT_OPENING": (2078, "limit_opening"),
    "_LIMIT": (2078, "limit"),
    "_CREDIT": (2078, "credit"),
    "_BT54_ID": (54, "calendar_id"),
    "_ET30_END": (2078, "limit"),
}


def places(module):
    for name, value in vars(importlib.import_module(module)).items():
        table, _, path = name[1:].partition("_")
        if name in OTHERS:
            if module == "meter.control" or name.startswith(("_BT54", "_ET30")):
                yield name, value, *OTHERS[name]
        elif table in NUMBERS and path and path != "SIZE":
            yield name, value, NUMBERS[table], path.lower()


@pytest.mark.parametrize("module", MODULES)
def test_places_are_those_of_the_definitions(module):
    found = list(places(module))
    assert found
    for name, value, number, path in found:
        assert value == field(number, path)[0], (module, name)


def test_what_else_is_known_of_the_layouts():
    from meter import control, schedule

    assert TABLES[2078].size == control._ET30_SIZE
    assert [place for place, _, _ in control._PIECES] == [
        field(2071, "messages_received")[0],
        field(2071, "disconnect_state")[0],
    ]
    assert field(2071, "active_calendar")[0] == field(2071, "disconnect_state")[0] + 1
    assert field(2109, "relays.1")[0] == schedule._RELAY_SIZE
    assert field(2053, "secondary_limit")[0] == 4
    assert field(2053, "secondary_time")[0] == field(2053, "primary_time")[0] + 2
    assert field(2078, "secondary_end")[0] == field(2078, "secondary_start")[0] + 6
    assert field(2078, "lock_end")[0] == field(2078, "lock_start")[0] + 6
    assert field(2078, "lock_start")[0] == field(2078, "secondary_end")[0] + 6
    assert field(2103, "over_power_calendar")[0] == field(2103, "clock_error_calendar")[0] + 4
    assert field(2095, "cancel_time")[0] == 6 and field(2095, "calendar_id")[0] == 12


def test_rare_modules_agree_with_each_other():
    from meter import control, credit, disconnect, override, prepay, schedule
    from osgp.procedures import control as procedures

    assert prepay.OTHER_RATE == credit._OTHER_RATE
    assert control._UNKEPT == credit._UNKEPT
    for name in ("_OPEN", "_CLOSE", "_WATCH", "_START"):
        assert getattr(control, name) == getattr(disconnect, name)
    assert procedures._RESYNC == disconnect._RESYNCHRONIZE
    assert procedures._UNLOCK == schedule._UNLOCK == disconnect._UNLOCK
    for name in ("_RESTORE", "_REQUEST", "_CLOCK"):
        assert getattr(control, name) == getattr(override, name)
    assert schedule._END == override._END


def test_layouts_of_the_guide():
    """Offsets as printed (MEP p.98-99, 121-123, 154, 166-167, 183)."""
    assert field(2071, "messages_validated")[0] == 4
    assert field(2071, "disconnect_state")[0] == 94 and TABLES[2071].size == 218
    assert field(2094, "disconnect_control_type")[0] == 11 and TABLES[2094].size == 23
    assert field(2095, "cancellation")[0] == 1 and TABLES[2095].size == 16
    assert field(2053, "primary_limit")[0] == 0
    assert field(2053, "prepay_rates") == (8, 16)
    assert field(2053, "control.limits")[0] == 25
    assert TABLES[2109].size == 2 * 80 * 2
    assert default(2095)[0] == 255


class Device:
    """A member, written and called with the names of the definitions."""

    def __init__(self):
        self.member = Member()
        self.psn = 10

    def read(self, number):
        return decode(number, self.member.body(number, TABLES[number].size))

    def write(self, number, values):
        body = encode(number, values)
        for a in range(0, len(body), 64):
            piece = body[a : a + 64]
            head = bytes([0x4F]) + number.to_bytes(2, "big") + a.to_bytes(3, "big")
            assert self.member.command(head + len(piece).to_bytes(2, "big") + piece).code == 0

    def call(self, name, **values):
        procedure = next(one for one in definitions.PROCEDURES if one.name == name)
        parameters = bytearray(procedure.parameters.size)
        layout.put(procedure.parameters, parameters, 0, values)
        self.psn += 1
        head = procedure.number.to_bytes(2, "little") + bytes([self.psn])
        body = head + parameters
        command = b"\x40\x00\x07" + len(body).to_bytes(2, "big") + body
        assert self.member.command(command).code == 0
        answer = self.member.body(8, 16)
        assert answer[2] == self.psn
        response = layout.get(procedure.response, 0, answer[4:], 0)
        return answer[3], response

    def wait(self, seconds):
        control = self.member.rig.device.control
        control.second(ticks.add(control._tick, 1000 * seconds))


@pytest.fixture
def device():
    device = Device()
    device.member.rig.device.application.poll(0)
    device.wait(10)
    return device


def test_disconnect_over_the_power_line(device):
    assert device.read(2078)["state"] == 1
    assert device.call("EP02", output=0, action=0) == (0, {"state": 2})
    assert device.member.rig.device.control.switch.opened is True
    assert device.read(2071)["disconnect_state"] == 2
    device.wait(10)
    assert device.call("EP02", output=0, action=1) == (0, {"state": 1})
    assert device.read(2071)["disconnect_state"] == 0
    assert device.read(2071)["messages_validated"] > 4
    assert device.call("EP30")[1] == {"state": 1, "contact": 1}


def test_credit_over_the_power_line(device):
    device.write(2053, {"prepay": {"enabled": 1}, "negative_credit": 5})
    assert device.call("EP21", kind=0, number=4, amount=777) == (
        0,
        {"credit": 777, "emergency_credit": 0, "number": 4},
    )
    assert device.call("EP21", kind=0, number=4, amount=777)[0] == 3
    status = device.read(2078)
    assert (status["credit"], status["credit_number"]) == (777, 4)
    assert device.read(2046 + 48)["negative_credit"] == 0, "it is not enabled"


def test_settings_that_nothing_acts_on(device):
    device.write(2049, {"pulses_per_kwh": 500})
    assert device.read(2049)["pulses_per_kwh"] == 500
    device.write(2054, {"channels": [{"options": {"active": 1}}]})
    assert device.read(2054)["channels"][0]["options"]["active"] == 1
    device.write(2109, {"relays": [{"switches": [{"closed": 1, "hour": 23, "minute": 59}]}]})
    assert device.read(2109)["relays"][0]["switches"][0] == {
        "closed": 1,
        "minute": 59,
        "hour": 23,
    }

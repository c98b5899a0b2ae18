"""The tables of the MEP and M-Bus side against the guide: offsets typed from its Offset column,
and the contents of a real meter (MEP p.46-48)."""

import pytest

from osgp_tools import model
from tables import definitions, dimensions, layout
from tables.schema import NEVER, READ, flat

ET11, ET13, ET14, ET15, ET16, ET19, ET20 = (2048 + k for k in (11, 13, 14, 15, 16, 19, 20))
ET31, ET32, ET34, ET45, ET50, ET51 = (2048 + k for k in (31, 32, 34, 45, 50, 51))
ET52, ET53, ET57, ET58, ET59, ET74, ET85 = (2048 + k for k in (52, 53, 57, 58, 59, 74, 85))

# (table, path, offset by the guide): those of arrays for the first entry
OFFSETS = (
    # MEP p.80-83
    (ET13, "mbus.0.billing_day", 0),
    (ET13, "mbus.0.billing_hour", 1),
    (ET13, "mbus.0.billing_minute", 2),
    (ET13, "mbus.0.billing_frequency", 3),
    (ET13, "mbus.0.status_frequency", 4),
    (ET13, "mbus.0.baud_rate", 6),
    (ET13, "mbus.0.alarm_mask", 7),
    (ET13, "mbus.0.customer_id", 8),
    (ET13, "mbus.0.application_reset", 28),
    (ET13, "mbus.0.key_length", 29),
    (ET13, "mbus.0.security_key", 30),
    (ET13, "mbus.0.turnaround_extension", 62),
    (ET13, "mbus.0.timeout_extension", 64),
    (ET13, "mbus.1", 66),
    (ET13, "mep.0.billing_day", 4 * 66),
    (ET13, "mep.0.alerts", 4 * 66 + 8),
    (ET13, "mep.0.downlink", 4 * 66 + 9),
    # MEP p.84-89
    (ET14, "mode", 0),
    (ET14, "reserved_1", 1),
    (ET14, "occupancy", 5),
    (ET14, "devices.0.handle", 6),
    (ET14, "devices.0.status", 8),
    (ET14, "devices.0.baud_rate", 9),
    (ET14, "devices.0.billing_length", 10),
    (ET14, "devices.0.attempts", 12),
    (ET14, "devices.0.answers", 16),
    (ET14, "devices.0.alarms", 20),
    (ET14, "devices.0.primary_address", 22),
    (ET14, "devices.0.reserved_23", 23),
    (ET14, "devices.0.device_alarms", 29),
    (ET14, "devices.0.status_read", 30),
    (ET14, "devices.0.last_attempt", 36),
    (ET14, "devices.1", 6 + 36),
    # MEP p.90-92
    (ET15, "pointers", 0),
    (ET15, "queue.0.transaction", 1),
    (ET15, "queue.0.handle", 3),
    (ET15, "queue.0.type", 5),
    (ET15, "queue.0.result", 6),
    (ET15, "queue.1", 7),
    (ET15, "writes.0.length", 5 * 6 + 1),
    (ET15, "writes.0.data", 5 * 6 + 2),
    (ET15, "writes.1", 5 * 6 + 1 + 25),
    (ET15, "multicast_length", 5 * (6 + 25) + 1),
    (ET15, "multicast", 5 * (6 + 25) + 2),
    # MEP p.92-95
    (ET16, "mbus.0.time", 0),
    (ET16, "mbus.0.info", 6),
    (ET16, "mbus.0.telegrams", 7),
    (ET16, "mbus.1", 517),
    (ET16, "mep.0.time", 4 * 517),
    (ET16, "mep.0.info", 4 * 517 + 6),
    (ET16, "mep.0.reads", 4 * 517 + 7),
    (ET16, "mep.0.length", 4 * 517 + 9),
    (ET16, "mep.0.data", 4 * 517 + 11),
    # MEP p.104-105
    (ET31, "flags", 0),
    (ET31, "valid_entries", 1),
    (ET31, "last_entry", 2),
    (ET31, "last_sequence", 3),
    (ET31, "unread_entries", 5),
    (ET31, "entries", 6),
    # MEP p.106-107
    (ET34, "devices.0.group_mask", 2),
    (ET34, "devices.0.poll_rate", 4),
    (ET34, "devices.0.control_mdt", 6),
    (ET34, "devices.0.command_mdt", 7),
    (ET34, "devices.0.time_stamp_mdt", 8),
    (ET34, "devices.0.hour", 9),
    (ET34, "devices.0.minute", 10),
    (ET34, "devices.0.poll_wait", 11),
    (ET34, "devices.0.poll_retries", 12),
    (ET34, "devices.0.poll_retry_wait", 13),
    (ET34, "devices.1", 22),
    # MEP p.119-121
    (ET45, "flags", 0),
    (ET45, "valid_entries", 1),
    (ET45, "last_entry", 2),
    (ET45, "last_sequence", 3),
    (ET45, "unread_entries", 5),
    (ET45, "entries", 6),
    # the same for ET32, whose entries are there
    (ET32, "entries.0.length", 6),
    (ET32, "entries.0.identifier", 8),
    (ET32, "entries.0.handle", 10),
    (ET32, "entries.0.execution", 12),
    (ET32, "entries.0.result", 13),
    (ET32, "entries.0.data", 14),
    (ET32, "entries.1", 6 + 525),
    # MEP p.124-126
    (ET50, "mep.0.identification", 0),
    (ET50, "mep.0.flags", 30),
    (ET50, "mep.0.icons", 31),
    (ET50, "mep.0.data", 31 + 2 * 6),
    (ET50, "mep.0.icon_display", 31 + 6 * 6),
    (ET50, "mep.0.reserved_33", 33 + 6 * 6),
    # MEP p.128-130
    (ET51, "mep.0.flags", 0),
    (ET51, "mep.0.health_timeout", 1),
    (ET51, "mep.0.request_timeout", 3),
    (ET51, "mep.0.optical_timeout", 4),
    (ET51, "mep.0.optical_hold_off", 6),
    (ET51, "mep.0.reset_time", 8),
    (ET51, "mep.0.han", 9),
    # MEP p.130-131
    (ET52, "size", 0),
    (ET52, "type", 2),
    (ET52, "number", 3),
    (ET52, "records", 5),
    (ET53, "number", 3),
    # MEP p.164-166
    (ET57, "types.0.entry", 0),
    (ET57, "types.0.drh", 1),
    (ET57, "types.1", 4),
    (ET58, "devices.0.control_status", 0),
    (ET58, "devices.1", 20),
    (ET59, "procedure", 0),
    (ET59, "sequence_number", 2),
    (ET59, "result", 3),
    (ET59, "data", 4),
    (ET85, "data", 4),
    # MEP p.176-177
    (ET74, "flags", 0),
    (ET74, "valid_entries", 1),
    (ET74, "last_entry", 3),
    (ET74, "last_sequence", 5),
    (ET74, "unread_entries", 7),
    (ET74, "entries", 9),
)

# (table, path of a bit, lowest bit, bits) by the guide
BITS = (
    (ET13, "mep.0.alerts", "scheduled_read", 0, 1),
    (ET13, "mep.0.alerts", "on_demand", 1, 1),
    (ET13, "mep.0.alerts", "mbus_change", 3, 1),
    (ET13, "mep.0.alerts", "delta_data", 4, 1),
    (ET14, "mode", "discovery", 0, 1),
    (ET14, "occupancy", "mep", 4, 1),
    (ET14, "devices.0.alarms", "billing_data", 0, 1),
    (ET14, "devices.0.alarms", "device_alarm", 2, 1),
    (ET14, "devices.0.alarms", "billing_overflow", 3, 1),
    (ET14, "devices.0.alarms", "no_communication", 4, 1),
    (ET14, "devices.0.alarms", "serial_mismatch", 5, 1),
    (ET14, "devices.0.alarms", "switchover_failed", 7, 1),
    (ET15, "pointers", "write", 0, 4),
    (ET15, "pointers", "read", 4, 4),
    (ET16, "mbus.0.info", "fixed", 1, 1),
    (ET16, "mbus.0.info", "authentication", 3, 2),
    (ET16, "mbus.0.info", "failed", 5, 1),
    (ET31, "flags", "overflow", 1, 1),
    (ET31, "flags", "circular", 2, 1),
    (ET32, "entries.0.identifier", "number", 0, 11),
    (ET32, "entries.0.identifier", "namespace", 11, 5),
    (ET34, "devices.0.hour", "first_bit", 0, 5),
    (ET34, "devices.0.hour", "bits", 5, 3),
    (ET50, "mep.0.flags", "registered", 0, 1),
    (ET50, "mep.0.flags", "et59_response", 1, 1),
    (ET50, "mep.0.flags", "mbus_alerts", 2, 1),
    (ET50, "mep.0.flags", "delta_alerts", 3, 1),
    (ET50, "mep.0.icon_display", "house", 0, 4),
    (ET50, "mep.0.icon_display", "medium_bar", 8, 4),
    (ET51, "mep.0.flags", "optical_timer", 0, 1),
    (ET51, "mep.0.flags", "monitor_health", 1, 1),
    (ET51, "mep.0.flags", "reset_when_down", 2, 1),
    (ET51, "mep.0.flags", "reset_now", 3, 1),
    (ET51, "mep.0.flags", "disable", 7, 1),
    (ET57, "types.0.entry", "kind", 0, 2),
    (ET57, "types.0.entry", "mdt", 2, 5),
    (ET57, "types.0.entry", "special", 7, 1),
    (ET59, "procedure", "number", 0, 12),
)


@pytest.mark.parametrize(("number", "path", "offset"), OFFSETS)
def test_fields_lie_where_the_guide_says(number, path, offset):
    assert model.field(number, path)[0] == offset


@pytest.mark.parametrize(("number", "path", "name", "shift", "width"), BITS)
def test_bits_lie_where_the_guide_says(number, path, name, shift, width):
    found = {at: field for at, _, field in layout.leaves(model.table(number).record)}
    part = next(part for part in found[path].parts if part.name == name)
    assert (part.shift, part.width) == (shift, width)


def test_sizes_are_those_of_the_dimension_table():
    """ET11's own numbers, for the entries and for the tables."""
    devices, requests = dimensions.ET11_DEVICES, dimensions.ET11_REQUESTS
    size = {number: model.table(number).size for number in model.TABLES}
    assert size[ET13] == devices * 66
    assert size[ET14] == 6 + devices * 36
    assert size[ET15] == 1 + requests * (6 + 25) + 65
    assert size[ET16] == devices * 517
    assert size[ET19] == 3 * 17
    assert size[ET20] == 4 * 17
    assert size[ET34] == devices * 22
    assert size[ET50] == 35 + 6 * dimensions.ET11_MEP_SOURCES
    assert (size[ET51], size[ET57], size[ET58]) == (10, 64, 20 * devices)
    assert (size[ET59], size[ET85]) == (16, 16)
    assert (size[ET52], size[ET53]) == (768, 768)
    assert size[ET32] == 6 + dimensions.ET32_ENTRIES * dimensions.ET32_ENTRY_SIZE
    entry = model.field(ET31, "entries.0")[1]
    assert entry == 6 + 2 * bool(dimensions.BT21_DEMANDS) + model.table(23).size
    assert entry <= 1018  # what one setting holds


def test_defaults_are_those_of_the_guide():
    settings = model.decode(ET51, model.default(ET51))["mep"][0]
    assert settings["flags"]["optical_timer"] == 1
    assert settings["flags"]["monitor_health"] == settings["flags"]["disable"] == 0
    assert (settings["health_timeout"], settings["request_timeout"]) == (60, 30)
    assert (settings["optical_timeout"], settings["optical_hold_off"]) == (600, 300)
    assert settings["reset_time"] == 1
    for device in model.decode(ET34, model.default(ET34))["devices"]:
        assert device["poll_rate"] == 60
        assert device["poll_retries"] == device["control_mdt"] == 0
    configuration = model.decode(ET13, model.default(ET13))
    assert [device["baud_rate"] for device in configuration["mbus"]] == [4] * 4
    assert configuration["mep"][0]["baud_rate"] == 0
    assert model.default(ET31)[:6] == bytes.fromhex("040000000000")
    assert model.default(ET45) == bytes(6)
    assert model.default(ET74) == bytes(9)


def test_who_may_write_what():
    by_host = {number: layout.host_runs(model.table(number)) for number in model.TABLES}
    assert by_host[ET13] == [(0, 4 * 66 + 8), (4 * 66 + 9, 57)]  # all but the alert flags
    assert by_host[ET50] == [(0, 69)]
    assert by_host[ET51] == [(0, 10)]
    assert by_host[ET57] == [(0, 64)]
    assert by_host[ET52] == [(0, 768)]
    first = [(2, 1), (4, 10)]
    assert by_host[ET34][:2] == first
    for number in (ET14, ET15, ET16, ET31, ET45, ET53, ET58, ET59, ET74, ET85):
        assert model.table(number).write == NEVER
        assert by_host[number] == []


def test_a_transaction_of_the_guide():
    """The request that the guide writes to ET52 (MEP p.44-45)."""
    request = bytes.fromhex("11000002000800 3F001700000000 2C 0200")
    values = model.decode(ET52, request + bytes(768 - len(request)))
    assert (values["size"], values["type"], values["number"]) == (17, 0, 2)
    assert values["records"][:12] == bytes.fromhex("0800 3F001700000000 2C 0200")


# ---- contents of a real meter (osgp.md 1.4)


def test_dimensions_of_a_real_meter():
    values = model.decode(ET11, bytes.fromhex("054224050605020103F9"))
    assert list(values.values())[:7] == [5, 66, 36, 5, 6, 517, 769]


def test_status_of_a_real_meter():
    values = model.decode(ET14, bytes.fromhex("000000000011010001042F00"))
    assert values["mode"]["discovery"] == 0
    assert values["occupancy"] == {
        "mbus_1": 1,
        "mbus_2": 0,
        "mbus_3": 0,
        "mbus_4": 0,
        "mep": 1,
    }
    first = values["devices"][0]
    assert (first["handle"], first["status"], first["baud_rate"]) == (1, 1, 4)
    assert first["billing_length"] == 47


def test_queue_of_a_real_meter():
    body = bytes.fromhex(
        "00 420001000201 450001000201 480001000201 0300F8030201 4B0001000201".replace(" ", "")
    )
    values = model.decode(ET15, body)
    assert values["pointers"] == {"write": 0, "read": 0}
    assert [(one["transaction"], one["handle"]) for one in values["queue"]] == [
        (66, 1),
        (69, 1),
        (72, 1),
        (3, 0x03F8),
        (75, 1),
    ]
    assert {(one["type"], one["result"]) for one in values["queue"]} == {(2, 1)}


# ---- procedures


def test_the_guides_call_of_a_procedure_has_its_parameters():
    """EP17 with PSN 7, action 0, handle 03F8 (MEP p.53)."""
    call = bytes.fromhex("11080700F803")
    procedure = next(one for one in definitions.PROCEDURES if one.name == "EP17")
    assert procedure.number == int.from_bytes(call[:2], "little") == 2065
    assert layout.get(procedure.parameters, 0, call[3:], 0) == {"action": 0, "handle": 0x03F8}


def test_procedures_of_this_side():
    found = {one.name: one for one in definitions.PROCEDURES}
    assert {one.family for one in found.values() if one.name in ("EP17", "EP61")} == {"mep"}
    assert found["EP24"].family == "reads"
    assert found["EP17"].level == found["EP39"].level == found["EP61"].level == READ
    for name in ("EP17", "EP18", "EP19", "EP24", "EP39", "EP41", "EP50", "EP61"):
        assert found[name].response.size <= 12
        assert all(field.clause for field in flat(found[name].parameters.fields))


@pytest.mark.parametrize(
    ("number", "path", "offset"),
    [
        (ET13, "mep.0.alerts", 272),
        (ET14, "devices.4", 150),
        (ET15, "multicast_length", 156),
        (ET15, "writes", 31),
        (ET16, "mep", 2068),
        (2048 + 36, "unread", 120),
        (2048 + 42, "bidn", 8),
        (ET50, "mep.0.icon_display", 67),
        (2048 + 4, "security_mode", 127),
    ],
)
def test_places_that_the_firmware_has_as_constants(number, path, offset):
    """meter/waiting.py, meter/waiting_work.py, osgp/procedures/mep.py, mep_data.py."""
    assert model.field(number, path)[0] == offset

"""The configuration, status, display and dimension tables against the guides' Offset columns.

The places are typed in from the guides, not computed: a size that slips moves what follows it.
"""

import pytest

from osgp_tools import model
from tables.layout import place
from tables.schema import NEVER

A = 147 + 4 * 3  # ET55, MEP p.155, column for firmware 4.0 and later, four tiers
L = 24  # ET97: behind three free text messages
M = 6 * 7  # ET54: the module records

PLACES = {
    "BT02": {
        "kh": 0,
        "kt": 6,
        "input_scalar": 12,
        "configuration": 13,
        "elements": 18,
        "volts": 20,
        "class_amps": 21,
        "test_amps": 27,
    },
    "BT30": {"times": 0, "sources": 1, "source_width": 3, "primary_items": 4, "primary_lists": 6}
    | {"secondary_items": 7, "secondary_lists": 9},
    "BT33": {"times": 0, "lists": 1, "items": 2, "sources": 3},
    "BT40": {"passwords": 0, "password_length": 1, "keys": 2, "key_length": 3, "permissions": 4},
    "ET07": {"items": 0, "rollover_digit": 180},
    "ET11": {
        "devices": 0,
        "config_size": 1,
        "status_size": 2,
        "requests": 3,
        "request_size": 4,
        "data_size": 5,
        "transaction_request": 7,
        "transaction_response": 9,
        "write_size": 11,
        "phase_data_size": 12,
        "config_2_size": 13,
        "meter_reads": 14,
        "mbus_reads": 15,
        "meter_read_size": 16,
        "mbus_read_size": 17,
        "groups": 18,
        "harmonics": 19,
        "multicast_size": 20,
        "alarm_array": 21,
        "mep_sources": 22,
        "et48_entries": 23,
        "critical_bitmaps": 24,
        "mbus_types": 25,
        "relay_switches": 26,
        "delta_alerts": 27,
        "ram_request": 28,
        "ram_response": 30,
        "modules": 32,
        "module_size": 33,
        "mep_channels": 34,
        "reserved_35": 35,
        "verification_size": 36,
        "screens": 38,
    },
    "ET17": {"received": 17},
    "ET36": {
        "count": 0,
        "et31.table": 1,
        "et31.entry_size": 3,
        "et31.max_entries": 5,
        "et31.entries": 7,
        "et31.flags": 9,
        "et32.entry_size": 20,  # this and those below: as ET42 cites them, MEP p.115
        "et32.entries": 24,
        "et38.entry_size": 37,
        "et38.entries": 41,
        "et41.entry_size": 54,
        "et41.entries": 58,
        "et45.entry_size": 71,
        "et45.entries": 75,
        "et75.entry_size": 88,
        "et81.entry_size": 105,
        "unread": 120,
    },
    "ET38": {"valid_entries": 1, "last_entry": 2, "last_sequence": 3, "entries": 6},
    "ET42": {
        "length": 0,
        "fixed_length": 2,
        "log_count": 3,
        "interface": 4,
        "c1219_flags": 6,
        "bidn": 8,
        "flags": 10,
        "self_reads": 11,
        "summations": 12,
        "demands": 13,
        "coincidents": 14,
        "occurrences": 15,
        "tiers": 16,
        "present_demands": 17,
        "present_values": 18,
        "sub_interval": 19,
        "multiplier": 20,
        "tier_size": 21,
        "profile_1.block_size": 23,
        "profile_1.blocks": 27,
        "profile_1.channels": 29,
        "profile_1.interval_time": 30,
        "profile_1.interval_size": 31,
        "profile_1.options": 32,
        "profile_1.intervals": 33,
        "profile_1.start_hour": 35,
        "profile_1.start_minute": 36,
        "history_flags": 37,
        "history_entries": 38,
        "history_argument": 40,
        "et31.entries": 41,
        "et31.entry_size": 41 + 1,
        "et32.entries": 41 + 3,
        "et32.entry_size": 41 + 4,
        "et41.entry_size": 41 + 10,
        "et45.entries": 41 + 12,
        "et45.entry_size": 41 + 13,
        "et75.entries": 41 + 15,
        "et75.entry_size": 41 + 16,
        "et81.entries": 41 + 18,
        "et81.entry_size": 41 + 19,
        "demand_sources": 41 + 3 * 7,
        "profile_1_sources": 41 + 3 * 7 + 8 + 0,
    },
    "ET54": {
        "interface": 0,
        "flags": 19,
        "tier_drive": 44,
        "relay_1_pending": 62,
        "relay_1_left": 63,
        "relay_1_delay": 65,
        "miswiring": 68,
        "et74_entries": 69,
        "compliance": 71,
        "clock_adjustment": 72,
        "step_reset": 76,
        "et77_entries": 79,
        "et79_entries": 80,
        "unicast_key_uses": 82,
        "broadcast_key_uses": 86,
        "security_modes": 90,
        "modules": 91,
        "tamper_adc": 95 + M,
        "transaction_locked": 97 + M,
        "transaction_channel": 98 + M,
        "failure_code": 99 + M,
        "relay_2_pending": 103 + M,
        "relay_2_left": 104 + M,
        "relay_2_delay": 106 + M,
    },
    "ET55": {
        "tariffs": 3,
        "clock_rate": 4,
        "signal_threshold": 14,
        "plc_active_timeout": 15,
        "plc_lockout_threshold": 20,
        "plc_lockout_duration": 21,
        "optical_lockout_threshold": 22,
        "optical_lockout_duration": 23,
        "message_id": 52,
        "message_points": 57,
        "message_text": 58,
        "message_start": 66,
        "message_end": 72,
        "message_override": 78,
        "phase_loss_time": 79,
        "tariffs_disabled": 81,
        "over_power": 82,
        "over_power_time": 86,
        "over_power_tier": 88,
        "over_power_source": 89,
        "transformer_current": 94,
        "clock_error_calendar": 95,
        "over_power_calendar": 99,
        "cover_removed_time": 104,
        "cover_quality_time": 106,
        "cover_quality_events": 108,
        "primary_profile": 110,
        "noise_threshold": 111,
        "noise_time": 113,
        "earth_fault_current": 115,
        "reserved_117": 117,
        "earth_fault_time": 118,
        "broken_conductor_time": 120,
        "zero_fault_time": 122,
        "normal_upper": 124,
        "normal_lower": 125,
        "low_upper": 126,
        "fluctuation_limit": 127,
        "prepay_rates": 129,
        "reverse_energy_current": 145,
        "step_thresholds": 147,
        "step_source": A,
        "step_calendar": A + 1,
        "step_reset_day": A + 5,
        "step_reset_hour": A + 6,
        "step_reset_minute": A + 7,
        "step_reset_second": A + 8,
        "reserved_168": A + 9,
        "rms_cycles": A + 10,
        "average_time": A + 12,
        "averages": A + 14,
        "proper_upper": A + 16,
        "proper_lower": A + 20,
        "medium_upper": A + 24,
        "medium_lower": A + 28,
        "disturbance_shortest": A + 32,
        "disturbance_longest": A + 34,
        "interruption_threshold": A + 36,
        "sag_threshold": A + 37,
        "swell_threshold": A + 38,
        "energy_unit": A + 39,
        "mep_flags": A + 40,
        "optical": A + 41,
        "optical_session": A + 42,
        "optical_hold_off": A + 44,
        "external_tampers": A + 46,
        "tamper_levels": A + 47,
        "external_tamper_time": A + 53,
        "upper_cover_time": A + 54,
        "magnetic_tamper_time": A + 56,
        "apparent_method": A + 58,
        "locks": A + 59,
        "reverse_energy_msb": A + 61,
    },
    "ET89": {
        "prior_mep_1_handle": 0,
        "prior_mep_1_id": 2,
        "mep_1_requests": 32,
        "mep_1_allowed": 33,
        "prior_mep_2_handle": 34,
        "prior_mep_2_id": 36,
        "mep_2_requests": 66,
        "mep_2_allowed": 67,
        "h1_telegram": 68,
        "status_flags": 74,
        "relays.0.mode": 75,
        "relays.0.maintenance": 76,
        "relays.0.locked": 80,
        "relays.0.remote": 84,
        "relays.0.local": 88,
        "image_keys": 109,
        "key_status": 113,
        "validation_error": 114,
        "validation_key": 115,
        "image_length": 117,
        "signature_length": 121,
        "signature": 122,
        "unread_logs": 130,
        "disconnect": 130 + 1,
        "pending_events": 131 + 1,
        "tls": 131 + 1,
    },
    "ET90": {
        "ip_address_length": 0,
        "urgent_alarm_length": 2,
        "connection_reason_length": 3,
        "apn_length": 4,
        "apn_user_length": 5,
        "apn_password_length": 6,
        "sim_pin_length": 7,
        "manufacturer_length": 8,
        "model_length": 9,
        "revision_length": 10,
        "imei_length": 11,
        "sim_phone_length": 12,
        "operator_name_length": 13,
        "modem_connections": 14,
        "modem_services": 15,
        "ftz_messages": 16,
        "at_reply_length": 17,
        "sim_iccid_length": 19,
        "security_events": 25,
        "security_event_size": 26,
    },
    "ET97": {
        "ftz_messages": 0,
        "mep_1_comparison": L,
        "mep_1_mask": L + 1,
        "mep_2_comparison": L + 31,
        "mep_2_mask": L + 32,
        "hardware": L + 62,
        "relays.0.groups": L + 63,
        "relays.0.control": L + 73,
        "relays.0.heartbeat": L + 74,
        "relays.0.maintenance": L + 76,
        "relays.0.exit_delay": L + 77,
        "relays.0.exit_hour": L + 78,
        "security_log_interval": L + 97,
        "optical_tls": L + 98,
        "mep_1_tls": L + 99,
        "mep_2_tls": L + 100,
    },
}

SIZES = {
    "BT02": 33,
    "BT30": 10,
    "BT33": 3 + 2 * 30,
    "BT40": 6,
    "BT42": 3 * 21,
    "ET07": 181,
    "ET11": 39,
    "ET17": 17 + 429,
    "ET36": 1 + 7 * 17 + 1,
    "ET38": 6 + 10 * 35,
    "ET54": 108 + M,
    "ET55": A + 62,
    "ET89": 132 + 3 * 5,
    "ET90": 27,
    "ET97": L + 101,
}


def table(name):
    return next(one for one in model.TABLES.values() if one.name == name)


@pytest.mark.parametrize("name", PLACES)
def test_places(name):
    found = {path: place(table(name), path)[0] for path in PLACES[name]}
    assert found == PLACES[name]


@pytest.mark.parametrize("name", PLACES)
def test_no_field_was_forgotten_here(name):
    paths = {path.split(".")[0] for path in PLACES[name]}
    fields = {field.name for field in table(name).record.fields if field.name}
    if name not in ("ET17", "ET38", "ET42"):  # by profile; of no printed offset behind the sources
        assert fields == paths


@pytest.mark.parametrize("name", SIZES)
def test_sizes(name):
    assert table(name).size == SIZES[name]


def test_dimensions_of_this_meter():
    body = model.default(2059)
    assert body[:12].hex() == "0542240506" + "0502" + "0003" + "0003" + "19"
    assert body[14:18] == bytes((3, 4, 17, 17))
    assert body[18:28] == bytes((10, 10, 65, 120, 6, 10, 10, 16, 80, 10))
    assert body[28:32].hex() == "0501" + "0103"
    assert body[34] == 1


def test_length_of_the_interface_definition():
    body = model.default(2090)
    values = model.decode(2090, body)
    end = place(table("ET42"), "required")[0] + 8
    assert values["length"] == end
    assert values["required"]["length"] == 8
    assert not any(body[end:])


def test_the_tiers_of_bt23_have_the_size_that_et42_tells():
    size = model.decode(2090, model.default(2090))["tier_size"]
    (first, _), (second, _) = (place(table("BT23"), f"tiers.{k}") for k in (0, 1))
    assert second - first == size


def test_defaults_of_the_guides():
    values = model.decode(2103, model.default(2103))
    assert values["signal_threshold"] == -84
    assert values["plc_active_timeout"] == 60
    assert values["averages"] == 1008
    assert values["energy_unit"] == 1
    assert model.default(33)[:9].hex() == "0610" + "03" + "0020" + "0120" + "0000"
    relay = model.decode(2137, model.default(2137))["relays"][1]
    assert relay["mode"] == 3
    assert relay["local"] == {"left": 0, "no_expiry": 1, "state": 0}
    assert relay["remote"]["state"] == 2


def test_passwords_cannot_be_read():
    assert table("BT42").read == NEVER


def test_logs_tell_their_own_sizes():
    values = model.decode(2084, model.default(2084))
    assert (values["et38"]["entry_size"], values["et38"]["entries"]) == (35, 10)
    assert values["et81"]["entry_size"] == 12
    interface = model.decode(2090, model.default(2090))
    for log in ("et31", "et32", "et38", "et41", "et45", "et75", "et81"):
        assert interface[log]["entries"] == values[log]["entries"]
        assert interface[log]["entry_size"] == values[log]["entry_size"]

"""The events of the log: 50 of the standard and 46 extended ones (DECK's counts; `osgp.md` 6).

For the host. An event is (number, name, title, alarm, argument, confidence):

    alarm       path of its bit in BT03, "" for none
    argument    what its two octets say, by this project's profile where no public document
                tells; "": they are 0
    confidence  HIGH: the name was read in a document. LOW: it is an inference.
                UNKNOWN: nobody outside knows; this meter never raises it.

An extended event up to 94 has the number 64 + its bit in the manufacturer status of BT03. Names
and numbers: ANSI C12.19 table of event codes, Echelon ANSI meter user's guide p.38-53, and for
what came later the names of BT03's bits (OPT p.46-47) and of fields in the MEP guide.
"""

HIGH = "high"
LOW = "low"
UNKNOWN = "unknown"

_TABLE = "table number (extended: + 2048)"
_PROCEDURE = "procedure number (extended: + 2048)"
_LIST = "LIST as in BP04"
_PHASES = "phases, bits 0-2"
_STATES = "bits 0-2 sag of L1-L3, 3-5 swell, 6-8 second sag, 9-11 over-current"
_DISTORTED = "bits 0-2 voltage of L1-L3, 3-5 current, 6-8 apparent power"
_THD = "bits 0-1 phase, bits 2-15 in 0.1 %"

STANDARD = (
    (1, "power_down", "Power failed", "status_2.power_failure", "", HIGH),
    (2, "power_up", "Power returned", "", "cause as of event 38", HIGH),
    (3, "time_changed_old", "Clock set: its old time", "", "", HIGH),
    (4, "time_changed_new", "Clock set: its new time", "", "", HIGH),
    (5, "time_changed_old_in_argument", "Clock set: old time in the argument", "", "", LOW),
    (6, "time_changed_new_in_argument", "Clock set: new time in the argument", "", "", LOW),
    (7, "accessed_for_read", "Accessed for read", "", "", HIGH),
    (8, "accessed_for_write", "Accessed for write", "", "", HIGH),
    (9, "procedure_invoked", "Procedure invoked", "", _PROCEDURE, HIGH),
    (10, "table_written", "Table written to", "", _TABLE, HIGH),
    (11, "programmed", "Device programmed", "", "", HIGH),
    (12, "communication_ended", "Communication ended normally", "", "", HIGH),
    (13, "communication_broken", "Communication ended abnormally", "", "", HIGH),
    (14, "list_reset", "List pointers reset", "", _LIST, HIGH),
    (15, "list_updated", "List pointers updated", "", _LIST, HIGH),
    (16, "history_cleared", "Event log (BT74) cleared", "", "", HIGH),
    (17, "history_updated", "Event log (BT74) pointers updated", "", "entries read", HIGH),
    (18, "event_log_cleared", "Alternate event log (ET79) cleared", "", "", LOW),
    (19, "event_log_updated", "Alternate event log (ET79) updated", "", "entries read", LOW),
    (20, "demand_reset", "Demand reset", "", "reason as in ET41 (MEP p.111)", HIGH),
    (21, "self_read", "Self read", "", "", HIGH),
    (22, "dst_on", "Daylight saving time on", "", "", HIGH),
    (23, "dst_off", "Daylight saving time off", "", "", HIGH),
    (24, "season_changed", "Season changed", "", "the new season", HIGH),
    (25, "rate_changed", "Rate changed", "", "", HIGH),
    (26, "special_schedule", "Special schedule activated", "", "which", HIGH),
    (27, "tier_changed", "Tier changed", "", "the new tier", HIGH),
    (28, "pending_activated", "Pending table activated", "", _TABLE, HIGH),
    (29, "pending_cleared", "Pending table cleared", "", _TABLE, HIGH),
    (30, "metering_mode_on", "Metering mode began", "", "", LOW),
    (31, "metering_mode_off", "Metering mode ended", "", "", LOW),
    (32, "test_mode_on", "Test mode began", "", "", LOW),
    (33, "test_mode_off", "Test mode ended", "", "", LOW),
    (34, "shop_mode_on", "Shop mode began", "", "", LOW),
    (35, "shop_mode_off", "Shop mode ended", "", "", LOW),
    (36, "reprogrammed", "Device reprogrammed", "", "version and revision before", HIGH),
    (37, "configuration_error", "Configuration error", "status_1.configuration_error", "", HIGH),
    (
        38,
        "system_reset",
        "System reset",
        "status_1.system_reset",
        "cause: 3 power, 4 watchdog, 5 code bank switch, 8 brown-out, 11 boot switch, 0 other",
        HIGH,
    ),
    (39, "ram_failure", "RAM failure", "status_1.ram_failure", "", HIGH),
    (40, "rom_failure", "ROM failure", "status_1.rom_failure", "", HIGH),
    (
        41,
        "nvm_failure",
        "Non-volatile memory failure",
        "status_1.nvm_failure",
        "values that were damaged",
        HIGH,
    ),
    (42, "clock_error", "Clock error", "status_1.clock_error", "", HIGH),
    (43, "measurement_error", "Measurement error", "status_1.measurement_error", "", HIGH),
    (44, "low_battery", "Low battery", "status_2.low_battery", "", HIGH),
    (45, "low_loss_potential", "Low loss potential", "status_2.low_loss_potential", "", HIGH),
    (46, "demand_overload", "Demand overload", "status_2.demand_overload", "", HIGH),
    (47, "cover_removed", "Cover removed, tamper", "status_2.cover_removed", "", HIGH),
    (48, "reverse_energy", "Reverse energy", "status_2.reverse_energy", "", HIGH),
    (
        49,
        "data_backup_incomplete",
        "Data backup incomplete",
        "status_2.data_backup_incomplete",
        "records of logs that a power cut tore",
        LOW,
    ),
    (
        50,
        "disconnect_switch_error",
        "Disconnect switch error",
        "status_2.disconnect_switch_error",
        "bit 0 is 1, bits 1-2 state as in ET30, bit 3 contact closed",
        HIGH,
    ),
)

_1, _2, _3, _4 = (f"manufacturer_status_{k}." for k in (1, 2, 3, 4))

EXTENDED = (
    (
        64,
        "profile_overflow",
        "Load profile overflow",
        _1 + "profile_overflow",
        "data set, 1-4",
        HIGH,
    ),
    (65, "mfg_self_read", "Self read occurred", _1 + "self_read", "", HIGH),
    (
        66,
        "disconnect_changed",
        "Load disconnect changed",
        _1 + "disconnect_changed",
        "state as in ET30, bits 8-15 reason",
        HIGH,
    ),
    (
        67,
        "control_relay_open",
        "Control relay open",
        _1 + "control_relay_open",
        "relay, 0 or 1",
        HIGH,
    ),
    (68, "phase_loss", "Phase loss", _1 + "phase_loss", _PHASES, HIGH),
    (69, "phase_inversion", "Phase inversion", _1 + "phase_inversion", _PHASES, HIGH),
    (70, "plc_failure", "PLC configuration failure", _1 + "plc_configuration_failure", "", HIGH),
    (71, "general_error", "General error", _1 + "general_error", "", HIGH),
    (
        72,
        "invalid_password",
        "Invalid password or key",
        _2 + "invalid_password",
        "requests in the minute before",
        HIGH,
    ),
    (
        73,
        "communications_inactive",
        "Remote communications inactive",
        _2 + "remote_communications_inactive",
        "",
        HIGH,
    ),
    (
        74,
        "current_no_voltage",
        "Current on missing phase",
        _2 + "current_on_missing_phase",
        _PHASES,
        HIGH,
    ),
    (75, "pulse_1_tamper", "Pulse input 1 tamper", _2 + "pulse_1_tamper", "", HIGH),
    (76, "pulse_2_tamper", "Pulse input 2 tamper", _2 + "pulse_2_tamper", "", HIGH),
    (77, "software_crc_error", "Software CRC error", _2 + "software_crc_error", "", HIGH),
    (78, "code_bank_changed", "Code bank changed", _2 + "code_bank_changed", "", HIGH),
    (
        79,
        "backfill_failed",
        "Load profile backfill failed",
        _2 + "profile_backfill_failed",
        "",
        HIGH,
    ),
    (
        80,
        "mep_installed",
        "MEP client installed or removed",
        _3 + "mep_installed_or_removed",
        "0 installed, 1 removed",
        HIGH,
    ),
    (
        81,
        "mbus_alarm",
        "M-Bus or MEP alarm",
        _3 + "mbus_alarm",
        "code, bits 13-15 device + 1",
        HIGH,
    ),
    (82, "mbus_discovery", "M-Bus discovery complete", _3 + "mbus_discovery_complete", "", HIGH),
    (
        83,
        "phase_rotation",
        "Phase rotation changed",
        _3 + "phase_rotation_changed",
        "the new one",
        HIGH,
    ),
    (84, "prepay_exhausted", "Prepay credit exhausted", _3 + "prepay_exhausted", "", HIGH),
    (
        85,
        "prepay_warning",
        "Prepay warning acknowledged",
        _3 + "prepay_warning_acknowledged",
        "",
        HIGH,
    ),
    (
        86,
        "log_overflow_pending",
        "Event log overflow pending",
        _3 + "event_log_overflow_pending",
        "unread entries",
        HIGH,
    ),
    (87, "mfg_log_entry", "Log of ET36 has an entry", _3 + "manufacturer_log_entry", "", HIGH),
    (88, "dimension_change", "Dimensions changed", _4 + "dimension_change", _PROCEDURE, HIGH),
    (89, "magnetic_tamper", "Magnetic tamper", _4 + "magnetic_tamper", "", HIGH),
    (
        90,
        "lockout_override",
        "Access lockout override",
        _4 + "lockout_override",
        "failures in a row",
        HIGH,
    ),
    (91, "power_quality", "Power quality event", _4 + "power_quality_event", _STATES, HIGH),
    (92, "log_unread", "Event log has unread entries", _4 + "event_log_unread", "", HIGH),
    (93, "thd_changed", "THD state changed", _4 + "thd_state_changed", _DISTORTED, HIGH),
    (
        94,
        "profile_unread",
        "Load profile has unread entries",
        _4 + "profile_1_unread",
        "data set, 1-4; sets 2-4 have alarms of their own",
        HIGH,
    ),
    (95, "event_95", "", "", "", UNKNOWN),
    (
        96,
        "mep_status",
        "MEP status, command matched",
        "",
        "code, bits 13-15 device index (MEP p.34)",
        HIGH,
    ),
    (97, "power_level", "Power level changed", "", "the new level", HIGH),
    (98, "voltage_sag", "Voltage sag", "", "bits 0-1 phase, bits 2-15 V", HIGH),
    (99, "voltage_swell", "Voltage swell", "", "bits 0-1 phase, bits 2-15 V", HIGH),
    (100, "max_thd_voltage", "Maximum THD of voltage", "", _THD, HIGH),
    (101, "max_thd_current", "Maximum THD of current", "", _THD, HIGH),
    (102, "max_thd_power", "Maximum THD of apparent power", "", _THD, HIGH),
    (103, "average_thd_voltage", "Average THD of voltage", "", _THD, HIGH),
    (104, "average_thd_current", "Average THD of current", "", _THD, HIGH),
    (105, "average_thd_power", "Average THD of apparent power", "", _THD, HIGH),
    (106, "disconnect_pulse", "Disconnect pulse", "", "pulses so far", HIGH),
    (107, "load_side_voltage", "Load side voltage", _4 + "load_side_voltage", "", HIGH),
    (108, "event_108", "", "", "", UNKNOWN),
    (109, "event_109", "", "", "", UNKNOWN),
)

"""Decade 0: the alarms (ANSI C12.19 table 3)."""

from tables.dimensions import BT00_STATUS_LENGTH
from tables.schema import READ, Table, bit, bits, cited, filler, kept, reserved


def _status(*names):
    return tuple([bit(name, "M") for name in names])


BT03 = Table(
    "BT03",
    "End device mode status",
    read=READ,
    write=None,
    source=kept("alarms"),
    doc="The alarms. They stay until they are cleared, across power loss too. Bit k of the "
    "manufacturer status is event 64 + k.",
    fields=(
        cited(
            "OPT p.45",
            bits(
                "mode",
                bit("metering", "F", default=1),
                bit("test", "P"),
                bit("shop", "F"),
                filler(5),
            ),
            bits(
                "status_1",
                *_status(
                    "unprogrammed",
                    "configuration_error",
                    "system_reset",
                    "ram_failure",
                    "rom_failure",
                    "nvm_failure",
                    "clock_error",
                    "measurement_error",
                ),
            ),
        ),
        cited(
            "OPT p.45-46",
            bits(
                "status_2",
                *_status(
                    "low_battery",
                    "low_loss_potential",
                    "demand_overload",
                    "power_failure",
                    "cover_removed",
                    "reverse_energy",
                    "data_backup_incomplete",
                    "disconnect_switch_error",
                ),
            ),
            bits(
                "extended_status",
                *_status(
                    "profile_2_unread", "profile_3_unread", "profile_4_unread", "neutral_deviation"
                ),
            ),
            bits(
                "manufacturer_status_1",
                *_status(
                    "profile_overflow",
                    "self_read",
                    "disconnect_changed",
                    "control_relay_open",
                    "phase_loss",
                    "phase_inversion",
                    "plc_configuration_failure",
                    "general_error",
                ),
            ),
            bits(
                "manufacturer_status_2",
                *_status(
                    "invalid_password",
                    "remote_communications_inactive",
                    "current_on_missing_phase",
                    "pulse_1_tamper",
                    "pulse_2_tamper",
                    "software_crc_error",
                    "code_bank_changed",
                    "profile_backfill_failed",
                ),
            ),
        ),
        cited(
            "OPT p.46-47",
            bits(
                "manufacturer_status_3",
                *_status(
                    "mep_installed_or_removed",
                    "mbus_alarm",
                    "mbus_discovery_complete",
                    "phase_rotation_changed",
                    "prepay_exhausted",
                    "prepay_warning_acknowledged",
                    "event_log_overflow_pending",
                    "manufacturer_log_entry",
                ),
            ),
        ),
        cited(
            "OPT p.47",
            bits(
                "manufacturer_status_4",
                *_status(
                    "dimension_change",
                    "magnetic_tamper",
                    "lockout_override",
                    "power_quality_event",
                    "event_log_unread",
                    "thd_state_changed",
                    "profile_1_unread",
                    "load_side_voltage",
                ),
            ),
            bits(
                "manufacturer_status_5",
                *_status(
                    "unbalanced_voltage",
                    "password_table_written",
                    "key_expiration_pending",
                    "p2p_security",
                    "firmware_separation_violation",
                    "modem_error",
                    "g3_alarm",
                    "g3_event_logged",
                ),
            ),
            bits("manufacturer_status_6", *_status("control_relay_2_open")),
            reserved(BT00_STATUS_LENGTH - 6, "manufacturer status without a meaning"),
        ),
    ),
)

TABLES = (BT03,)

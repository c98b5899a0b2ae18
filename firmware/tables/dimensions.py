"""The dimensions of this meter: how many of what, each named by the table field that tells it.

Definitions take their counts from here, and the dimension tables (BT00, BT20, BT21, BT50, BT51,
BT60, BT61) tell the same numbers to whoever asks.
"""

# BT00: octets of the sets of tables and procedures, and lengths.
BT00_PARAMETER_LENGTH = 255  # BT00.9: octets of parameters in BT07
BT00_RESPONSE_LENGTH = 12  # BT00.10: octets of answer in BT08
BT00_BASIC_TABLES = 10  # BT00.13: BT00-BT79
BT00_EXTENDED_TABLES = 20  # BT00.14: ET00-ET159
BT00_BASIC_PROCEDURES = 2  # BT00.15: BP00-BP15
BT00_EXTENDED_PROCEDURES = 12  # BT00.16: EP00-EP95
BT00_STATUS_LENGTH = 9  # BT00.17: octets of manufacturer status in BT03
BT00_PENDING = 4  # BT00.18: pending tables

# BT11: sources of data.
BT11_SOURCES = 112  # BT11.1 and .7: source ids 0-111 (MEP p.204-205)
BT11_DEMAND_CONTROLS = 1  # BT11.2: one interval for all demands
BT11_DATA_CONTROL_LENGTH = 1  # BT11.3: octets of an entry of BT14
BT11_DATA_CONTROLS = 2  # BT11.4: the pulse inputs
BT11_CONSTANTS = 1  # BT11.5: sets of constants in BT15

# BT21: registers.
BT21_SEASON = 1  # BT21.0.0: season fields in BT24-BT26
BT21_DATE_TIME = 1  # BT21.0.1: date and time fields in BT23-BT26
BT21_RESET_COUNTER = 1  # BT21.0.2: BT23 begins with the number of demand resets
BT21_RESET_LOCK = 1  # BT21.0.3: a lockout after a demand reset
BT21_CUMULATIVE = 1  # BT21.0.4: cumulative demand in BT23
BT21_CONTINUOUS = 1  # BT21.0.5: continuous cumulative demand in BT23
BT21_TIME_REMAINING = 0  # BT21.0.6: time remaining in BT28
BT21_SELF_READS = 12  # BT21.2: entries of BT26
BT21_SUMMATIONS = 15  # BT21.3
BT21_DEMANDS = 8  # BT21.4
BT21_COINCIDENTS = 0  # BT21.5
BT21_OCCURRENCES = 1  # BT21.6
BT21_TIERS = 4  # BT21.7
BT21_PRESENT_DEMANDS = 8  # BT21.8
BT21_PRESENT_VALUES = 26  # BT21.9

# BT20: what the guide says that such a meter can have at most, where that is more.
BT20_SELF_READS = 253  # BT20.2
BT20_COINCIDENTS = 16  # BT20.5

# Demand and the logs of registers.
ET12_DAYS = 62  # days of consumption in ET12
ET12_REGISTERS = 4  # ET04.55: registers of each
ET41_ENTRIES = 6  # demand resets in ET41 (its current entries in ET36)
ET41_ENTRY_SIZE = 992  # octets of one
DEMAND_SUB_INTERVAL = 15  # BT13.4, ET42.19: minutes
DEMAND_MULTIPLIER = 1  # BT13.5, ET42.20: sub-intervals

# BT51: the calendar.
BT51_SEASONS = 12  # BT51.2.0-3
BT51_SPECIAL_SCHEDULES = 2  # BT51.2.4-7
BT51_NON_RECURRING_DATES = 25  # BT51.3
BT51_RECURRING_DATES = 23  # BT51.4
BT51_TIER_SWITCHES = 200  # BT51.5
BT51_CALENDAR_SIZE = 808  # BT51.7

# BT61: the load profile. Set 1: ten blocks hold today and nine full days; the others are off.
BT61_SETS = 4
BT61_BLOCKS = 10  # BT61.7
BT61_INTERVALS = 96  # BT61.9
BT61_CHANNELS = 2  # BT61.11
BT61_INTERVAL_TIME = 15  # BT61.12: minutes
PROFILE_SHAPES = (
    (BT61_BLOCKS, BT61_INTERVALS, BT61_CHANNELS, BT61_INTERVAL_TIME),
    (0, 0, 0, 0),
    (0, 0, 0, 0),
    (0, 0, 0, 0),
)
PROFILE_SECTORS = (12, 10, 10, 10)  # of flash (4096 octets), for each set
PROFILE_FLASH = 42
BT60_RECORDS = (1281, 1025, 1025, 1025)  # of one channel, that the ring of each set always holds


def block_header_size(shape):
    """Octets of a block before its intervals (MEP p.239). shape: as in PROFILE_SHAPES."""
    return 5 + (shape[1] + 7) // 8 if shape[2] else 0


def interval_size(shape):
    """Octets of an interval: extended status and values."""
    return shape[2] // 2 + 1 + 4 * shape[2] if shape[2] else 0


def block_size(shape):
    """Octets of a block."""
    return block_header_size(shape) + shape[1] * interval_size(shape)


def profile_size(shape):
    """Octets of a data set."""
    return shape[0] * block_size(shape)


# ET11: the MEP and the M-Bus side. One MEP client behind four M-Bus devices.
ET11_DEVICES = 5  # ET11.0
ET11_CONFIGURATION_SIZE = 66  # ET11.1: octets of an entry of ET13
ET11_STATUS_SIZE = 36  # ET11.2: octets of an entry of ET14
ET11_REQUESTS = 5  # ET11.3: on-demand requests in ET15
ET11_REQUEST_SIZE = 6  # ET11.4: octets of one
ET11_DATA_SIZE = 517  # ET11.5: octets of an entry of ET16
ET11_TRANSACTION_REQUEST = 768  # ET11.7: octets of ET27 and ET52
ET11_TRANSACTION_RESPONSE = 768  # ET11.9: octets of ET28 and ET53
ET11_WRITE_SIZE = 25  # ET11.11: octets of a message of ET15, its length included
ET11_CONFIGURATION_2_SIZE = 22  # ET11.13: octets of an entry of ET34
ET11_METER_READS = 3  # ET11.14: one-time reads that wait in ET19
ET11_MBUS_READS = 4  # ET11.15: and in ET20
ET11_METER_READ_SIZE = 17  # ET11.16: octets of an entry of ET19
ET11_MBUS_READ_SIZE = 17  # ET11.17: and of ET20
ET11_MULTICAST_SIZE = 65  # ET11.20: octets of a multicast message, its length included
ET11_MEP_SOURCES = 6  # ET11.22: data of the MEP client in ET50
ET11_MBUS_TYPES = 16  # ET11.25: entries of ET57
ET11_CHANNELS = 1  # ET11.34: MEP clients
ET11_MBUS_DEVICES = ET11_DEVICES - ET11_CHANNELS

# ET36: the logs of the MEP and the M-Bus side.
ET31_ENTRIES = 2  # one-time reads of the meter
ET32_ENTRIES = 8  # one-time reads of M-Bus devices
ET32_ENTRY_SIZE = 525  # its length in front included
ET45_ENTRIES = 0  # recurring reads: their newest stands in ET16
ET74_ENTRIES = 0

# ET11: the others.
ET11_PHASE_DATA = 16  # ET11.12: octets of what is measured of a phase
ET11_GROUPS = 10  # ET11.18: group ids of this meter
ET11_HARMONICS = 10  # ET11.19
ET11_ALARM_ARRAY = 120  # ET11.21: octets of the first array of ET22
ET11_ET48_ENTRIES = 10  # ET11.23
ET11_CRITICAL_BITMAPS = 10  # ET11.24
ET11_RELAY_SWITCHES = 80  # ET11.26: time switches of each control relay
ET11_DELTA_ALERTS = 10  # ET11.27: entries of ET71
ET11_RAM_REQUEST = 261  # ET11.28
ET11_RAM_RESPONSE = 769  # ET11.30
ET11_MODULES = 6  # ET11.32: firmware module records of ET54
ET11_MODULE_SIZE = 7  # ET11.33: octets of one
ET11_VERIFICATION = 429  # ET11.36: octets of the bitmap of ET17: 192 kB in packets of 56
ET11_SCREENS = 3  # ET11.38: error and caution screens

# BT30: the display.
BT30_SOURCES = 962  # BT30.1: values that can be shown
BT30_ITEMS = 30  # BT30.4: items of the primary list

# ET36: the adjustable logs.
ET36_LOGS = 7  # ET36.0
ET38_ENTRIES = 10
ET38_ENTRY_SIZE = 35

# ET90: of ET89 and ET97.
ET90_FTZ_MESSAGES = 3  # ET90.16
ET90_SECURITY_EVENTS = 0  # ET90.25: pending security events in ET89
ET90_SECURITY_EVENT_SIZE = 8  # ET90.26
ET89_LOG_MASK = 1  # octets of its mask of logs with unread entries

# ET04, ET36: power outages.
ET04_OUTAGES = 10  # ET04.53: records of ET09 and ET10
ET81_ENTRIES = 80  # ET36.103

# BT71: the event log, and the alternate one.
BT71_STANDARD_EVENTS = 8  # BT71.1: octets of a set of standard events
BT71_MANUFACTURER_EVENTS = 19  # BT71.2: and of extended ones
BT71_ENTRIES = 100  # BT71.5
ET79_ENTRIES = 100  # ET54.80

# ET75: changes of the load profile's channels that are kept.
ET75_ENTRIES = 6

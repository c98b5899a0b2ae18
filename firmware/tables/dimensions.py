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
BT00_PENDING = 0  # BT00.18: no pending tables yet

# BT21: registers. Demands, coincident values and self reads come with later work.
BT21_SEASON = 1  # BT21.0.0: season fields in BT24-BT26
BT21_DATE_TIME = 1  # BT21.0.1: date and time fields in BT23-BT26
BT21_RESET_COUNTER = 0  # BT21.0.2: BT23 begins with the number of demand resets
BT21_CUMULATIVE = 0  # BT21.0.4: cumulative demand in BT23
BT21_CONTINUOUS = 0  # BT21.0.5: continuous cumulative demand in BT23
BT21_TIME_REMAINING = 0  # BT21.0.6: time remaining in BT28
BT21_SELF_READS = 0  # BT21.2
BT21_SUMMATIONS = 11  # BT21.3
BT21_DEMANDS = 0  # BT21.4
BT21_COINCIDENTS = 0  # BT21.5
BT21_OCCURRENCES = 1  # BT21.6
BT21_TIERS = 4  # BT21.7
BT21_PRESENT_DEMANDS = 0  # BT21.8
BT21_PRESENT_VALUES = 26  # BT21.9

# BT51: the calendar.
BT51_SEASONS = 12  # BT51.2.0-3
BT51_SPECIAL_SCHEDULES = 2  # BT51.2.4-7
BT51_NON_RECURRING_DATES = 25  # BT51.3
BT51_RECURRING_DATES = 23  # BT51.4
BT51_TIER_SWITCHES = 200  # BT51.5
BT51_CALENDAR_SIZE = 808  # BT51.7

# BT61: the load profile. One data set; ten blocks hold today and nine full days.
BT61_SETS = 1
BT61_BLOCKS = 10  # BT61.7
BT61_INTERVALS = 96  # BT61.9
BT61_CHANNELS = 2  # BT61.11
BT61_INTERVAL_TIME = 15  # BT61.12: minutes

# What follows from BT61 (the layout of BT64, MEP p.239).
SIMPLE_STATUS_SIZE = (BT61_INTERVALS + 7) // 8
EXTENDED_STATUS_SIZE = BT61_CHANNELS // 2 + 1
INTERVAL_SIZE = EXTENDED_STATUS_SIZE + 4 * BT61_CHANNELS
BLOCK_HEADER_SIZE = 5 + SIMPLE_STATUS_SIZE
BLOCK_SIZE = BLOCK_HEADER_SIZE + BT61_INTERVALS * INTERVAL_SIZE
PROFILE_SIZE = BT61_SETS * BT61_BLOCKS * BLOCK_SIZE

# The procedures that this meter has (EPnn as 2048 + nn).
PROCEDURES = (10,)  # BP10: set date and time

"""The definitions: sizes, places and access are those of the guides, transcribed here anew."""

from support import unhex
from tables import datatypes, definitions, dimensions, layout
from tables.schema import (
    ANYONE,
    FIXED,
    KEPT,
    LIVE,
    MASTER,
    NEVER,
    PROVISION,
    READ,
    SERVED,
    Array,
    Bits,
    Record,
    Table,
    array,
    bit,
    bits,
    cited,
    kept,
    uint8,
    uint16,
    when,
)

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

TABLES = {table.name: table for table in definitions.TABLES}

# Octets as the public documents state or add up to: those of one size in every meter, and those
# of a size that follows from dimensions, under the dimensions of this meter.
SIZES = {
    "BT00": 19 + 10 + 20 + 2 + 12 + 10 + 20,  # MEP p.196-198, 19 octets and the sets
    "BT01": 24,  # OPT p.19
    "BT03": 4 + 9,  # OPT p.45-47
    "BT05": 10,  # 20 BCD digits
    "BT06": 3 * 20 + 20 + 3 * 10 + 3 * 10 + 8 + 2 * 6 + 10 + 30,  # osgp.md 3.1
    "BT07": 3 + 255,  # MEP p.52, BT00.9
    "BT08": 4 + 12,  # MEP p.52-53, BT00.10
    "BT11": 8,  # C12.19 table 11
    "BT12": 112 * 4,  # C12.19 table 12
    "BT13": 4 + 2,  # C12.19 table 13; BT13.4 and .5 are its last octets (MEP p.114)
    "BT14": 2 * 1,  # C12.19 table 14
    "BT15": 17,  # MEP p.200
    "BT16": 112,  # C12.19 table 16
    "BT20": 10,  # OPT p.20-21
    "BT21": 10,  # MEP p.201-202
    "BT22": 15 + 8 + 1,  # MEP p.203, one source a summation and a demand
    "BT23": 1 + 5 * (15 * 4 + 8 * 17),  # MEP p.208-211; a demand: 5 + 4 + 4 + 4
    "BT24": 6 + 5 * 196,  # MEP p.212: the blocks alone
    "BT25": 6 + 981,  # MEP p.212
    "BT26": 6 + 12 * (8 + 981),  # MEP p.213-214
    "BT27": 8 + 26,  # MEP p.214
    "BT28": 8 * 4 + 26 * 4,  # MEP p.215-217
    "BT50": 9,  # MEP p.222-224
    "BT51": 9,
    "BT52": 7,  # MEP p.224
    "BT53": 6,  # MEP p.225
    "BT54": 808,  # MEP p.224
    "BT55": 9,  # MEP p.230-231
    "BT60": 7 + 4 * 6,  # MEP p.231-233
    "BT61": 7 + 4 * 6,  # MEP p.234-235
    "BT62": (2 * 3 + 1) + 3 * 1,  # MEP p.236
    "BT63": 4 * 13,  # MEP p.237-238
    "BT64": 10 * (5 + 12 + 96 * (2 + 2 * 4)),  # MEP p.239
    "BT65": 0,
    "BT66": 0,
    "BT67": 0,
    "ET03": 143,  # MEP p.56
    "ET04": 140,  # MEP p.56-67
    "ET12": 4 + 62 * (2 + 4 * 4),  # profile
    "ET21": 4 * 131,  # MEP p.95-98
    "ET40": 4,  # profile
    "ET41": 6 + 6 * (11 + 981),  # MEP p.110-111
    "ET62": 149,  # MEP p.168-172
    "ET66": 4 * 16 * 2,  # MEP p.173
    "ET75": 6 + 6 * (47 + 16 * 7),  # MEP p.178-180
}

# Places as the guides print them.
PLACES = {
    "BT00": "manufacturer 3, nameplate_type 7, parameter_length 9, response_length 10, "
    "basic_tables_size 13, extended_tables_size 14, status_length 17, pending_tables 18, "
    "basic_tables_used 19",
    "BT01": "manufacturer 0, model 4, hardware_version 12, firmware_version 14, serial_number 16",
    "BT03": "mode 0, status_1 1, status_2 2, extended_status 3, manufacturer_status_1 4, "
    "manufacturer_status_5 8, manufacturer_status_6 9",
    "BT07": "procedure 0, sequence_number 2, parameters 3",
    "BT08": "procedure 0, sequence_number 2, result 3, data 4",
    "BT15": "multiplier 0, offset 4, control 8, ct_ratio 9, vt_ratio 13",
    "BT20": "function_1 0, function_2 1, self_reads 2, summations 3, demands 4, coincidents 5, "
    "occurrences 6, tiers 7, present_demands 8, present_values 9",
    "BT21": "function_1 0, self_reads 2, summations 3, tiers 7, present_values 9",
    "BT22": "summations 0, demands 15, maxima 23",
    "BT23": "demand_resets 0, total.summations.forward_wh 1, total.summations.outage_time 17, "
    "total.summations.pulses_1 33, total.summations.errors 41, total.summations.q1_varh 45, "
    "total.demands.0.times 61, total.demands.0.cumulative 66, total.demands.0.continuous 70, "
    "total.demands.0.values 74, total.demands.1.times 78, tiers.0 197, tiers.3 785, "
    "tiers.3.summations.net_wh 813",
    "BT24": "captured 0, season 5, total 6, tiers.0 202",
    "BT25": "captured 0, season 5, demand_resets 6, total 7",
    "BT26": "flags 0, valid 1, last 2, sequence 3, unread 5, entries.0.bidn 6, "
    "entries.0.captured 8, entries.0.season 13, entries.0.demand_resets 14, entries.1.bidn 995",
    "BT28": "demands.0 0, demands.7 28, values.forward_w 32, values.current_l1 48, "
    "values.voltage_l1 60, values.frequency 76, values.q4_var 132",
    "ET41": "flags 0, valid 1, last 2, sequence 3, unread 5, entries.0.length 6, "
    "entries.0.reason 8, entries.0.bidn 9, entries.0.captured 11, entries.0.season 16, "
    "entries.0.demand_resets 17",
    "BT50": "function_1 0, function_2 1, calendar_1 2, non_recurring_dates 3, recurring_dates 4, "
    "tier_switches 5, calendar_size 7",
    "BT52": "clock 0, qualifier 6",
    "BT53": "dst_time 0, dst_amount 3, zone_offset 4",
    "BT54": "non_recurring_dates 0, recurring_dates 75, tier_switches 144, seasons 744, "
    "calendar_id 804",
    "BT55": "clock 0, qualifier 6, status 7",
    "BT61": "memory_length 0, flags 4, formats 6, sets.0.blocks 7, sets.0.intervals 9, "
    "sets.0.channels 11, sets.0.interval_time 12",
    "BT62": "sets.0.channels.0.source 1, sets.0.channels.1.source 4, sets.0.format 6",
    "BT63": "sets.0.flags 0, sets.0.valid_blocks 1, sets.0.last_block 3, "
    "sets.0.last_block_sequence 5, sets.0.unread_blocks 9, sets.0.valid_intervals 11",
    "BT64": "blocks.0.end_time 0, blocks.0.simple_status 5, blocks.0.intervals 17, "
    "blocks.0.intervals.1.values.0 29, blocks.9.intervals.95.values.1 9766",
    "ET03": "utility_serial_number 0, image_crc 137",
    "ET04": "sequence_number 0, transceiver_id 4, subnet 10, node 11, neuron 12, "
    "rated_frequency 13, program_id 14, self_identification 22, pk_access 52, "
    "outages_recorded 53, energy_registers 55, registration_current 56, max_current 58, "
    "rated_voltage 60, inactive_phases 62, dst_off_delta 63, self_read_hour 65, "
    "stop_mode_days 67, access 71, neuron_state 72, phase_rotation 73, plc_inactive_time 74, "
    "broadcast_receipt 76, broadcast_base 82, broadcast_delta 86, reverse_energy_current 88, "
    "plc_signal_quality 90, discovery_turnaround 91, discovery_timeout 93, discovery_disable 95, "
    "gain_sensitivity 96, outage_events_after 98, nvm_size 100, safe_image_locked 102, "
    "generation 109, outage_threshold 110, phase_loss_threshold 111, form 112, "
    "clock_error_tier 113, c1219_flags 114, idt_version 116, tilt_time 117, "
    "min_registration_current 118, registration_fraction 120, alarms 121, power_up_wait 122, "
    "max_key_usage 123, security_mode 127, fcm_count 128, mep_sequence 129, "
    "reverse_energy_ms 137, reverse_energy_s 138",
    "ET21": "sets.0.block_address 0, sets.0.block_size 8, sets.0.block_header_size 12, "
    "sets.0.last_interval 20, sets.0.interval_size 25, sets.0.channels 28, sets.0.sources 30, "
    "sets.0.placeholders 38, sets.0.more_sources 70, sets.0.configuration_id 78, "
    "sets.0.mep_start_channel 82, sets.0.block_start_time 83, sets.0.interval_in_progress 91, "
    "sets.0.options 93, sets.0.interval_end_utc 94, sets.0.interval_end_local 101, "
    "sets.0.memory_length 107, sets.0.flags 111",
    "ET62": "flags 0, list_code 1, list_points 6, date_code 7, time_code 13, status_code 19, "
    "status_points 24, channels.0.channel_code 25, channels.0.channel_points 30, "
    "channels.0.data_format 31, outage_list_code 137, outage_list_points 142, "
    "outage_number_code 143, outage_number_points 148",
    "ET66": "sets.0.sources.2 4",
    "ET75": "valid_entries 1, last_entry 2, last_sequence 3, unread_entries 5, entries.0.time 6, "
    "entries.0.sources 11, entries.0.demand_sources 43, entries.0.sub_interval 51, "
    "entries.0.multiplier 52, entries.0.channels.0.channel_code 53, "
    "entries.0.channels.0.channel_points 58, entries.0.channels.0.data_format 59",
}

# Bits as the guides number them within their field; the first bit of wider ones.
BITS = (
    ("BT03", "status_1.clock_error", 6),
    ("BT03", "status_2.low_battery", 0),
    ("BT03", "status_2.disconnect_switch_error", 7),
    ("BT03", "extended_status.neutral_deviation", 3),
    ("BT03", "manufacturer_status_2.remote_communications_inactive", 1),
    ("BT03", "manufacturer_status_4.lockout_override", 2),
    ("BT03", "manufacturer_status_4.profile_1_unread", 6),
    ("BT03", "manufacturer_status_5.key_expiration_pending", 2),
    ("BT07", "procedure.response_handling", 12),
    ("BT21", "function_1.reset_counter", 2),
    ("BT21", "function_1.time_remaining", 6),
    ("BT21", "function_2.daily_self_read", 2),
    ("BT21", "function_2.self_read_demand", 4),
    ("BT50", "function_2.sort_switches", 3),
    ("BT50", "calendar_1.special_schedules", 4),
    ("BT52", "qualifier.dst", 3),
    ("BT52", "qualifier.gmt", 4),
    ("BT55", "status.tier_drive", 6),
    ("BT55", "status.special_schedule", 8),
    ("BT55", "status.season", 12),
    ("BT61", "flags.extended_status", 10),
    ("BT61", "flags.simple_status", 11),
    ("BT61", "formats.int32", 5),
    ("ET04", "neuron.disable_encryption", 3),
    ("ET04", "neuron.phase", 5),
    ("ET04", "inactive_phases.current_l1", 4),
)

# The octets that the guides give to the host (H, H/M), without those that the project closes.
HOST = {
    "BT05": "0-9",
    "BT06": "0-199",
    "BT07": "0-257",
    "BT15": "0-16",
    "ET40": "0-3",
    "BT53": "0-5",
    "BT54": "0-807",
    "ET03": "0-29",
    "ET04": "12 13 52 56-61 62 63-66 67 71 74-75 82-87 91-94 95 96-99 102 107-109 110 111 113 "
    "114-115 117 118-119 120 121 122 137 138-139",
}
CLOSED = {  # what the guides would let a host set, and commissioning sets here
    "ET04": "subnet node manufacturer_status",
}

# MEP p.55 and p.197-199, OPT p.18, p.19, p.48: read without a key on the optical port.
OPEN = ("BT00", "BT01", "ET03")
# MEP appendix C: what MAK may write; BT23 is there too and never written in this meter.
# Documents, and what is by this project's profile
SOURCES = ("MEP", "OPT", "ECH", "C12.19", "osgp.md", "profile")
WRITABLE = ("BT05", "BT06", "BT07", "BT15", "BT53", "BT54", "ET03", "ET04")

KINDS = {
    FIXED: "BT00 BT11 BT12 BT13 BT14 BT16 BT20 BT21 BT22 BT27 BT50 BT51 BT60",
    KEPT: "BT01 BT03 BT05 BT06 BT15 BT53 BT54 ET03 ET04",
    LIVE: "BT08 BT23 BT28 BT52 BT55 BT61 BT63",
    SERVED: "BT07 BT25 BT26 ET12 ET41 BT62 BT64 BT65 BT66 BT67 ET21 ET66",
}
LISTED = " ".join(KINDS.values()).split()


def raises(error, function, *arguments):
    """Whether the call raises just that."""
    try:
        function(*arguments)
    except error:
        return True
    return False


def numbers(text):
    """The numbers of "12 14-16"."""
    result = []
    for part in text.split():
        first, _, last = part.partition("-")
        result.extend(range(int(first), int(last or first) + 1))
    return result


def host_octets(table):
    return [k for first, n in layout.host_runs(table) for k in range(first, first + n)]


def body(name):
    return layout.default_body(TABLES[name], definitions.TABLES)


def test_every_table_has_the_size_of_the_guides():
    """Here those of the first groups; the others have their places in test_*_tables of tools."""
    for name, size in SIZES.items():
        assert TABLES[name].size == size, (name, TABLES[name].size)


def test_sizes_follow_from_the_dimensions():
    assert TABLES["BT54"].size == dimensions.BT51_CALENDAR_SIZE
    for k, shape in enumerate(dimensions.PROFILE_SHAPES):
        assert TABLES["BT%d" % (64 + k)].size == dimensions.profile_size(shape)


def test_fields_lie_one_behind_the_other():
    for table in definitions.TABLES:
        end = 0
        for path, offset, field in layout.leaves(table.record):
            assert offset == end, (table.name, path)
            end += field.size
        assert end == table.size, table.name


def test_fields_lie_where_the_guides_say():
    for name, places in PLACES.items():
        for wanted in places.split(", "):
            path, offset = wanted.split(" ")
            assert layout.place(TABLES[name], path)[0] == int(offset), (name, path)


def test_bits_lie_where_the_guides_say():
    for name, path, wanted in BITS:
        field_name, bit_name = path.split(".")
        field = next(f for f in TABLES[name].record.fields if f.name == field_name)
        assert field.write({p.name: 0 for p in field.parts}) == bytes(field.size)
        values = {p.name: 1 if p.name == bit_name else 0 for p in field.parts}
        octets = field.write(values)
        assert sum([octets[k] << (8 * k) for k in range(field.size)]) == 1 << wanted, path


def test_a_path_that_is_not_there_is_refused():
    for path in ("nothing", "seasons.12", "seasons.x", "calendar_id.0", "seasons.0.nothing", ""):
        assert raises(KeyError, layout.place, TABLES["BT54"], path), path
    assert layout.place(TABLES["BT52"], "qualifier.dst") == (6, 1)


def test_every_value_has_a_name_a_source_and_a_setter():
    for table in definitions.TABLES:
        for path, offset, field in layout.leaves(table.record):
            assert field.clause.split(" ")[0].rstrip(":") in SOURCES, (table.name, path)
            if isinstance(field, Bits):
                assert field.name and all(part.name or part.who == "-" for part in field.parts)
            else:
                assert field.name or field.who == "-", (table.name, offset)


def test_a_host_may_set_what_the_guides_leave_to_it():
    for name in LISTED:
        assert host_octets(TABLES[name]) == numbers(HOST.get(name, "")), name


def test_what_is_closed_to_the_host_is_closed_on_purpose():
    for name in WRITABLE:
        closed = []
        for path, _, field in layout.leaves(TABLES[name].record):
            if not isinstance(field, Bits) and field.closed:
                assert field.who in ("H", "H/M")
                closed.append(path)
        assert closed == CLOSED.get(name, "").split(), name


def test_keys_and_address_cannot_be_written_as_tables():
    """profile 5, 11, 17: commissioning alone sets them."""
    writable = host_octets(TABLES["ET04"])
    for path in ("sequence_number", "transceiver_id", "subnet", "node", "max_key_usage",
                 "security_mode", "fcm_count"):  # fmt: skip
        offset, size = layout.place(TABLES["ET04"], path)
        for k in range(offset, offset + size):
            assert k not in writable, path


def test_levels():
    for name in LISTED:
        table = TABLES[name]
        wanted = ANYONE if name in OPEN else NEVER if name == "BT07" else READ
        assert table.read == wanted, name
        assert (table.write != NEVER) == (name in WRITABLE), name
        if table.write != NEVER:
            assert table.write == (READ if name == "BT07" else PROVISION), name
        assert table.read == NEVER or table.read < MASTER
    assert not layout.host_runs(TABLES["BT63"])  # it has a field H, but nobody writes it


def test_kinds():
    for kind, names in KINDS.items():
        for name in names.split():
            assert TABLES[name].source.kind == kind, name


def test_numbers():
    assert TABLES["BT64"].number == 64
    assert TABLES["ET04"].number == 2052  # MEP p.56
    assert TABLES["ET21"].number == 2069  # MEP p.95


def test_general_configuration_follows_from_what_is_defined():
    octets = body("BT00")
    assert octets[:3] == unhex("02 2A 88")  # osgp.md 3.1
    assert octets[13:19] == bytes([10, 20, 2, 12, 9, 4])
    for name, at in (("BT", 19), ("ET", 29)):
        used = datatypes.Set(10 if name == "BT" else 20).read(octets[at : at + 20])
        assert ["%s%02d" % (name, n) for n in used] == sorted([t for t in TABLES if t[:2] == name])
    called = [f"BP{n:02}" for n in datatypes.Set(2).read(octets[49:51])]
    called += [f"EP{n:02}" for n in datatypes.Set(12).read(octets[51:63])]
    assert called == sorted([one.name for one in definitions.PROCEDURES])
    writable = [f"BT{n:02}" for n in datatypes.Set(10).read(octets[63:73])]
    writable += [f"ET{n:02}" for n in datatypes.Set(20).read(octets[73:93])]
    assert writable == sorted([t.name for t in definitions.TABLES if t.write != NEVER])
    assert set(WRITABLE) <= set(writable)
    pending = [table.name for table in definitions.TABLES if table.pending]
    assert len(pending) == dimensions.BT00_PENDING


def test_default_calendar():
    octets = body("BT54")
    assert octets[:75] == bytes(75)
    # Last Sunday of March: month 3, offset 6, weekday 0, day 1; on, in the format of 12 seasons.
    assert octets[75:78] == unhex("63 08 81")
    assert octets[78:81] == unhex("6A 08 02")  # last Sunday of October: off
    assert octets[81:144] == bytes(63)
    # Schedule 0: 00:00 tier 1, 06:00 tier 0, 22:00 tier 1, which the seven unused repeat.
    assert octets[144:153] == unhex("01 00 00  00 30 00  01 B0 00")
    assert octets[153:174] == octets[150:153] * 7
    for k in range(10, 200):
        assert octets[144 + 3 * k : 147 + 3 * k] == bytes([0, 0, k // 10]), k
    assert octets[744:804] == bytes(60)


def test_default_time_offset_is_central_europe():
    assert body("BT53") == unhex("02 00 00 3C 3C 00")
    assert body("ET04")[63:65] == unhex("3C 00")  # daylight saving ends at 03:00 local time


def test_defaults_of_the_guides():
    octets = body("ET04")
    for path, value in (
        ("outages_recorded", "0A"),
        ("energy_registers", "04"),
        ("max_current", "64 00"),
        ("rated_voltage", "E6 00"),
        ("reverse_energy_current", "E8 03"),
        ("outage_threshold", "48"),
        ("phase_loss_threshold", "3D"),
        ("tilt_time", "1E"),
        ("registration_fraction", "11"),
        ("max_key_usage", "40 42 0F 00"),
        ("security_mode", "00"),
        ("reverse_energy_s", "0A 00"),
    ):
        offset, size = layout.place(TABLES["ET04"], path)
        assert octets[offset : offset + size] == unhex(value), path
    assert body("BT50") == unhex("00 18 2C 19 17 C8 00 28 03")
    assert body("BT51") == body("BT50")
    assert body("BT20") == unhex("3F 0E FD 0F 08 10 01 04 08 1A")  # MEP p.47-48
    assert body("BT21") == unhex("3F 0E 0C 0F 08 00 01 04 08 1A")
    assert body("BT27") == bytes(
        list(range(88, 96))
        + list(range(8, 21))
        + [21, 22, 23, 24, 25, 81, 82, 83, 84, 104, 105, 106, 107]
    )
    summations = [0, 1, 2, 3, 4, 5, 6, 7, 26, 27, 28, 108, 109, 110, 111]
    demands = [8, 9, 10, 11, 104, 105, 106, 107]
    assert body("BT22") == bytes(summations + demands + [255])
    assert body("BT62") == unhex("00 00 00  00 01 00  20  20 20 20")
    assert body("BT61") == unhex("2A 26 00 00  00 0C 20  0A 00 60 00 02 0F") + bytes(18)
    assert body("ET62")[:31] == b"\0P01  \4DATE \0TIME \0STAT \0CH01 \0"
    assert body("ET62")[-12:] == b"     \0NUM  \0"


def test_internal_profile_configuration_agrees_with_the_profile():
    internal = "ET21"
    octets = body(internal)

    def value(path):
        offset, size = layout.place(TABLES[internal], "sets.0." + path)
        return sum([octets[offset + k] << (8 * k) for k in range(size)])

    data = TABLES["BT64"]
    assert value("block_size") == layout.place(data, "blocks.1")[0]
    assert value("block_header_size") == layout.place(data, "blocks.0.intervals.0")[0]
    assert value("simple_status_offset") == layout.place(data, "blocks.0.simple_status")[0]
    assert value("simple_status_size") == layout.place(data, "blocks.0.simple_status")[1]
    assert value("interval_size") == layout.place(data, "blocks.0.intervals.0")[1]
    first = layout.place(data, "blocks.0.intervals.0")[0]
    assert (
        value("channel_offset") == layout.place(data, "blocks.0.intervals.0.values.0")[0] - first
    )
    assert value("memory_length") == 12 * 4096 >= data.size


def test_values_of_each_type():
    for type_, value, octets in (
        (datatypes.UINT16, 0x1234, "34 12"),
        (datatypes.UINT32, 0xFFFFFFFF, "FF FF FF FF"),
        (datatypes.INT16, -2, "FE FF"),
        (datatypes.INT32, -0x80000000, "00 00 00 80"),
        (datatypes.INT8, -128, "80"),
        (datatypes.LTIME, (22, 3, 27, 2, 0, 59), "16 03 1B 02 00 3B"),
        (datatypes.STIME, (22, 3, 27, 2, 0), "16 03 1B 02 00"),
        (datatypes.ANSI_DATE, (22, 3, 27), "96 D9"),
        (datatypes.RDATE, (15, 33, 63), "1F FE"),
        (datatypes.RDATE, (14, 0, 5, 0), "0E 05"),
        (datatypes.Text(4), "NES", "4E 45 53 00"),
        (datatypes.Bcd(3), "012345", "01 23 45"),
        (datatypes.Set(2), (0, 9), "01 02"),
        (datatypes.Octets(2), b"\x01\x02", "01 02"),
    ):
        assert type_.write(value) == unhex(octets), type_.name
        assert type_.read(unhex(octets)) == value, type_.name


def test_values_that_do_not_fit_are_refused():
    for type_, value in (
        (datatypes.UINT8, 256),
        (datatypes.UINT8, -1),
        (datatypes.INT8, 128),
        (datatypes.INT16, -32769),
        (datatypes.LTIME, (22, 3, 27, 2, 0)),
        (datatypes.ANSI_DATE, (128, 1, 1)),
        (datatypes.RDATE, (15, 1, 1, 1)),
        (datatypes.Text(2), "abc"),
        (datatypes.Bcd(2), "123"),
        (datatypes.Octets(2), b"\x00"),
    ):
        assert raises(ValueError, type_.write, value), (type_.name, value)


def test_bits_are_packed_from_the_lowest():
    field = bits(
        "b", bit("one", "H"), bit("wide", "M", width=11), bit("top", "M", width=4), size=2
    )
    assert field.write({"one": 1, "wide": 0x555, "top": 0xA}) == unhex("AB AA")
    assert field.read(unhex("AB AA")) == {"one": 1, "wide": 0x555, "top": 0xA}
    assert field.by_host  # the grain is the octet
    assert raises(ValueError, field.write, {"none": 1})
    assert raises(ValueError, field.write, {"wide": 2048})


def test_a_definition_that_contradicts_itself_is_refused():
    assert raises(ValueError, bits, "b", bit("wide", "H", width=9))
    assert raises(ValueError, uint8, "a", "X")
    assert raises(ValueError, bit, "a", "X")
    assert raises(ValueError, Record, "r", (uint8("a", "H"), uint16("a", "H")))
    assert raises(ValueError, array, "a", 1, uint8("x", "H"), "", (1, 2))


def test_runs_are_joined_and_end_where_the_device_takes_over():
    fields = (
        uint8("a", "H"),
        uint16("b", "HD"),
        uint8("c", "M"),
        array("d", 2, (uint8("x", "H/M"), uint8("y", "F")), by=""),
        uint8("e", "H", closed="for a test"),
        uint8("f", "HI"),
    )
    cited("MEP p.1", *fields)
    table = Table("BT79", "Test", fields, READ, PROVISION, kept())
    assert layout.host_runs(table) == [(0, 3), (4, 1), (6, 1)]
    read_only = Table("BT79", "Test", fields, READ, None, kept())
    assert layout.host_runs(read_only) == []


def test_a_field_that_the_meter_lacks_takes_no_room():
    absent = when(0, "BT21.0.2", uint8("x", "M"))
    assert isinstance(absent, Array) and absent.size == 0
    record = Record("r", (absent, uint8("y", "M")))
    assert layout.get(record, 0, b"\x07", 0) == {"y": 7}


def test_a_part_of_a_body_gives_what_is_wholly_in_it():
    record = Record(
        "r", (uint16("a", "M"), array("b", 3, uint16("x", "M"), by=""), uint8("c", "M"))
    )
    octets = unhex("01 00 02 00 03 00 04 00 05")
    assert layout.get(record, 0, octets, 0) == {"a": 1, "b": [2, 3, 4], "c": 5}
    assert layout.get(record, 0, octets[3:7], 3) == {"b": [None, 3, None]}
    assert layout.get(record, 0, octets[8:], 8) == {"c": 5}
    assert layout.get(record, 0, b"\x00", 1) is None


def test_put_leaves_alone_what_is_not_named():
    record = Record("r", (uint8("a", "M"), array("b", 3, uint8("x", "M"), by="")))
    octets = bytearray(unhex("01 02 03 04"))
    layout.put(record, octets, 0, {"b": [None, 9]})
    assert octets == unhex("01 02 09 04")
    assert raises(ValueError, layout.put, record, octets, 0, {"c": 1})
    assert raises(ValueError, layout.put, record, octets, 0, {"b": [1, 2, 3, 4]})


if given:
    TYPES = (
        datatypes.UINT32,
        datatypes.INT16,
        datatypes.LTIME,
        datatypes.ANSI_DATE,
        datatypes.RDATE,
        datatypes.Bcd(4),
        datatypes.Set(3),
        datatypes.Octets(5),
    )

    @given(st.sampled_from(TYPES), st.data())
    def test_any_octets_come_back(type_, data):
        octets = data.draw(st.binary(min_size=type_.size, max_size=type_.size))
        if type_ is not datatypes.RDATE or octets[0] & 15 != 14:
            assert type_.write(type_.read(octets)) == octets

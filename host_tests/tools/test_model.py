"""The model on the host: the blob against the definitions, real bodies, the pages."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osgp_tools import model, model_docs
from tables import compiled, definitions, layout
from tables.schema import FIXED, NEVER, READ, SERVED, STORED, Table, cited, fixed, kept, uint8

REPOSITORY = Path(__file__).parents[2]
PAGES = REPOSITORY / "docs" / "tables"


@dataclasses.dataclass
class Entry:
    """What the device reads of one table out of the blob, by the contract's layout."""

    number: int
    kind: int
    read: int
    write: int
    size: int
    place: int
    body: bytes | None
    runs: list[tuple[int, int]]


def u16(blob: bytes, at: int) -> int:
    return int.from_bytes(blob[at : at + 2], "little")


def entries(blob: bytes) -> list[Entry]:
    found = []
    for k in range(u16(blob, 0)):
        at = 2 + 16 * k
        assert blob[at + 5] in (0, 1)
        size = int.from_bytes(blob[at + 6 : at + 10], "little")
        body_at, runs_at = u16(blob, at + 12), u16(blob, at + 14)
        runs = [
            (u16(blob, runs_at + 1 + 4 * n), u16(blob, runs_at + 3 + 4 * n))
            for n in range(blob[runs_at])
        ]
        assert runs_at + 1 + 4 * len(runs) <= len(blob)
        body = blob[body_at : body_at + size] if body_at else None
        kind, read, write = blob[at + 2], blob[at + 3], blob[at + 4]
        place = u16(blob, at + 10)
        found.append(Entry(u16(blob, at), kind, read, write, size, place, body, runs))
    return found


def test_blob_equals_the_definitions_entry_by_entry():
    found = entries(compiled.MODEL)
    assert [entry.number for entry in found] == sorted(model.TABLES)
    for entry in found:
        table = model.TABLES[entry.number]
        assert (entry.kind, entry.read, entry.write, entry.size) == (
            table.source.kind,
            table.read,
            table.write,
            table.size,
        )
        default = model.default(entry.number)
        if table.source.kind == SERVED:
            assert entry.body is None
        else:
            assert (entry.body or bytes(table.size)) == default, table.name
        ends = [
            (first, table.size - first if length == 65535 else length)
            for first, length in entry.runs
        ]
        assert ends == layout.host_runs(table), table.name


def test_bodies_share_the_arena_without_overlap():
    end = 0
    for entry in entries(compiled.MODEL):
        if entry.kind in (FIXED, SERVED, STORED):
            assert entry.place == 0
        else:
            assert entry.place == end
            end += entry.size
    assert end == compiled.ARENA


def test_blob_is_short_enough_for_its_own_offsets():
    assert len(compiled.MODEL) < 65536


def test_committed_blob_is_fresh(capsys):
    assert model.main(["--check"]) == 0
    assert compiled.MODEL, model.compile_model() == compiled.ARENA
    assert "fresh" in capsys.readouterr().out


def test_stale_blob_is_noticed(monkeypatch, tmp_path, capsys):
    stale = tmp_path / "compiled.py"
    stale.write_text(model.source_text().replace("ARENA = ", "ARENA = 1"))
    monkeypatch.setattr(model, "COMPILED", stale)
    assert model.main(["--check"]) == 1
    assert "stale" in capsys.readouterr().out
    assert model.main([]) == 0
    assert model.main(["--check"]) == 0


def test_general_configuration_follows_from_the_definitions():
    """Another table, and BT00 and with it the blob tell of it; nothing is typed by hand."""
    extra = Table("ET150", "Test", cited("MEP p.1", uint8("x", "H")), READ, READ, kept())
    few = [model.table(number) for number in (0, 7, 2051)]
    _, before = model.compile_model(tuple(few))
    blob, arena = model.compile_model((*few, extra))
    general = next(entry for entry in entries(blob) if entry.number == 0).body
    assert general is not None
    values = model.decode(0, general)
    assert values["basic_tables_used"] == (0, 7)
    assert values["extended_tables_used"] == (3, 150)
    assert values["extended_tables_writable"] == (3, 150)
    assert arena == before + 1


def test_two_tables_of_one_number_are_refused():
    twin = Table("BT05", "Test", cited("MEP p.1", uint8("x", "H")), READ, None, fixed())
    with pytest.raises(ValueError, match="one number"):
        model.compile_model((*definitions.TABLES, twin))


# ---- bodies of real meters (osgp.md 1.4 and 2.4, out of the MEP guide)


def test_dimension_registers_of_a_real_meter():
    values = model.decode(20, bytes.fromhex("3F0EFD0F08100104081A"))
    assert values["function_1"]["season"] == values["function_1"]["continuous"] == 1
    assert values["function_1"]["time_remaining"] == 0
    assert values["function_2"] == {
        "self_read_inhibit": 0,
        "self_read_sequence": 1,
        "daily_self_read": 1,
        "weekly_self_read": 1,
        "self_read_demand": 0,
    }
    del values["function_1"], values["function_2"]
    assert values == {
        "self_reads": 253,
        "summations": 15,
        "demands": 8,
        "coincidents": 16,
        "occurrences": 1,
        "tiers": 4,
        "present_demands": 8,
        "present_values": 26,
    }


def test_actual_registers_of_a_real_meter():
    values = model.decode(21, bytes.fromhex("3F0E0C0F08000104081A"))
    assert (values["self_reads"], values["coincidents"], values["tiers"]) == (12, 0, 4)


def test_one_octet_of_system_information():
    assert model.decode(2052, bytes([4]), 0x37) == {"energy_registers": 4}


def test_registers_of_a_real_meter():
    body = bytes(16) + bytes.fromhex("08000000 03000000") + bytes(16) + bytes.fromhex("06000000")
    # The guide's meter had demand off: no count of resets in front, and no quadrants behind.
    values = model.decode(23, bytes(1) + body)
    assert list(values) == ["demand_resets", "total"]
    summations = values["total"]["summations"]
    assert (summations["outage_time"], summations["outages"], summations["errors"]) == (8, 3, 6)
    assert sum(summations.values()) == 17


# ---- bodies to values and back


def test_partial_reads_of_the_calendar():
    body = model.default(54)
    values = model.decode(54, body[75:81], 75)
    dates = values["recurring_dates"]
    assert dates[0]["date"] == (3, 6, 0, 1)
    assert dates[1]["action"]["action"] == 2
    assert dates[2:] == [None] * 21


def test_encode_changes_what_is_named():
    body = model.encode(53, {"zone_offset": -300})
    assert body == bytes.fromhex("0200003CD4FE")
    assert model.encode(53, {"dst_amount": 30}, body) == bytes.fromhex("0200001ED4FE")
    with pytest.raises(ValueError, match="no field zone"):
        model.encode(53, {"zone": 1})
    with pytest.raises(ValueError, match="octets"):
        model.encode(53, {}, b"\x00")


def test_fields_by_path():
    assert model.field(23, "total.summations") == (1, 60)
    assert model.field(23, "tiers.1.summations.forward_wh") == (393, 4)
    assert model.field(2052, "transceiver_id") == (4, 6)
    with pytest.raises(KeyError):
        model.field(23, "tiers.4")
    with pytest.raises(KeyError, match="no table 9"):
        model.field(9, "x")


@given(st.sampled_from([n for n in sorted(model.TABLES) if n != 64]), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_body_survives_the_way_to_values_and_back(number, data):
    size = model.TABLES[number].size
    body = data.draw(st.binary(min_size=size, max_size=size))
    values = model.decode(number, body)
    again = model.encode(number, values, body)
    assert model.decode(number, again) == values


@given(
    st.sampled_from(sorted(model.TABLES)),
    st.binary(max_size=60),
    st.integers(min_value=0, max_value=12000),
)
@settings(max_examples=60, deadline=None)
def test_any_part_of_a_body_can_be_decoded(number, part, offset):
    assert isinstance(model.decode(number, part, offset), dict)


# ---- the pages


def test_pages_name_every_field(tmp_path):
    assert model.main(["--docs", str(tmp_path)]) == 0
    for table in definitions.TABLES:
        text = (tmp_path / "tables" / f"{table.name}.md").read_text()
        for path, _, _ in layout.leaves(table.record):
            names = [part for part in path.split(".") if not part.isdigit()]
            assert names[-1] in text, (table.name, path)
        assert f"{table.size} octets" in text


def test_index_counts_each_field_once_by_source():
    text = model_docs.pages(definitions.TABLES)["README.md"]
    total = sum(1 for table in definitions.TABLES for _ in model_docs.definitions_of(table.record))
    counts = [int(n) for n in re.findall(r"^- (\d+) from ", text, re.MULTILINE)]
    assert f"{len(definitions.TABLES)} tables, {total} fields" in text
    assert sum(counts) == total


def test_a_clause_without_a_source_is_refused():
    with pytest.raises(ValueError, match="no such source"):
        model_docs.origin("somewhere")


def test_what_nobody_may_write_says_so():
    text = (PAGES / "BT23.md").read_text()
    assert model.TABLES[23].write == NEVER
    assert "- Write: nobody" in text
    assert "Octets that a host may set" not in text

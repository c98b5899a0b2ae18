"""Layouts that follow each other: what is compiled of them, and what a device makes of it."""

import itertools
import runpy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import next_firmware
from osgp import migration
from osgp_tools import migrations, model, model_docs
from osgp_tools.image import compile_module
from osgp_tools.simulation.board import Settings
from tables import compiled, definitions
from tables.schema import READ, Earlier, Table, cited, fixed, kept, octets, stored, uint8


def table(name="BT06", size=8, source=None, earlier=(), pending=False):
    fields = cited("MEP p.1", octets("x", size, "H", default=b"\xdd" * size))
    return Table(
        name, "Test", fields, READ, READ, source or kept(), earlier=earlier, pending=pending
    )


def carry_over(one: Table, version: int, body: bytes) -> bytes:
    """What a device makes of a body that it kept in an older layout."""
    blob, _ = model.compile_model((table("BT05", 1), one))
    kept_values = Settings()
    kept_values.replace(migration.name_of(one.number, version), body, len(body))
    migration.run(kept_values, migrations.compile_migrations((one, table("BT05", 1))), blob)
    return kept_values.values[migration.name_of(one.number, one.version)]


def test_this_firmware_has_what_its_definitions_give():
    assert migrations.compile_migrations(definitions.TABLES) == compiled.MIGRATIONS
    assert model.layout_number() == compiled.LAYOUT


def test_runs_of_a_layout():
    one = table(size=10, earlier=(Earlier(8, (0, 0, 2), (2, 2, 2), (None, 4, 2), (7, 7, 1)),))
    assert migrations.compile_migrations((one,)) == bytes.fromhex(
        "0600 0200 01 00  0800 03  0000 0000 0400  ffff 0400 0200  0700 0700 0100"
    )
    assert carry_over(one, 1, b"abcdefgh") == b"abcd\0\0\xddh\xdd\xdd"


def test_a_layout_that_is_skipped_leaves_no_trace():
    """Inserted in the second layout and dropped in the third: straight from the first."""
    one = table(
        size=4, earlier=(Earlier(4, (0, 0, 2), (2, 4, 2)), Earlier(6, (0, 0, 2), (4, 2, 2)))
    )
    assert one.version == 3
    assert carry_over(one, 1, b"abcd") == b"abcd"
    assert carry_over(one, 2, b"ab--cd") == b"abcd"
    assert migrations.compile_migrations((one,))[6:].startswith(
        bytes.fromhex("0400 01 0000 0000 0400")
    )


def test_a_table_without_other_layouts_costs_nothing():
    assert migrations.compile_migrations((table(), table("BT05"))) == b""
    assert model.layout_number((table(),)) == 0
    assert model.layout_number((table(earlier=(Earlier(8),) * 64), table("BT05"))) == 0


@pytest.mark.parametrize(
    "moved",
    [
        ((0, 7, 2),),
        ((7, 0, 2),),
        ((0, 0, 0),),
        ((-1, 0, 2),),
        ((0, -1, 2),),
        ((None, 7, 2),),
        ((0, 0, 2), (4, 1, 2)),
    ],
)
def test_contradictions_are_refused(moved):
    with pytest.raises(ValueError, match="BT06"):
        migrations.compile_migrations((table(earlier=(Earlier(8, *moved),)),))


def test_what_is_not_kept_has_no_earlier_layouts():
    with pytest.raises(ValueError, match="nothing of it is kept"):
        migrations.compile_migrations((table(source=fixed(), earlier=(Earlier(8),)),))


@st.composite
def layouts(draw):
    """Some layouts of a table, each a list of the names of its octets; a name stays itself."""
    names = iter(range(10000))
    current = [next(names) for _ in range(draw(st.integers(1, 20)))]
    found = [current]
    for _ in range(draw(st.integers(1, 4))):
        current = [name for name in current if draw(st.integers(0, 4))]
        for _ in range(draw(st.integers(0 if current else 1, 4))):
            current.insert(draw(st.integers(0, len(current))), next(names))
        if draw(st.booleans()):
            current = list(draw(st.permutations(current)))
        found.append(current)
    return found


@settings(max_examples=150, deadline=None)
@given(layouts())
def test_each_octet_arrives_where_it_belongs(found):
    earlier = []
    for old, new in itertools.pairwise(found):
        moved = [(old.index(name), at, 1) for at, name in enumerate(new) if name in old]
        earlier.append(Earlier(len(old), *moved))
    one = table(size=len(found[-1]), source=stored(), earlier=tuple(earlier), pending=True)
    for version, old in enumerate(found[:-1], 1):
        body = bytes(1 + name % 200 for name in old)
        # dropped and inserted again under another name: its default, whatever it was before
        expected = bytes(1 + name % 200 if name in old else 0xDD for name in found[-1])
        assert carry_over(one, version, body) == expected


def test_pages_tell_the_version():
    one = table(earlier=(Earlier(4, (0, 0, 4)), Earlier(6, (0, 2, 6))))
    page = model_docs.pages((one, table("BT05")))["BT06.md"]
    assert "version 3" in page
    assert "version" not in model_docs.pages((one, table("BT05")))["BT05.md"]


def test_the_next_firmware_is_whole(tmp_path):
    """Every module of it compiles, and its tables are those that its definitions give."""
    folder = next_firmware.make(tmp_path / "next")
    following = runpy.run_path(str(folder / "tables" / "compiled.py"))
    assert following["LAYOUT"] == 4
    assert following["MIGRATIONS"]
    assert following["MODEL"] != compiled.MODEL
    assert following["PROCEDURES"] == compiled.PROCEDURES
    for name, _, new in next_firmware.EDITS:
        assert new in (folder / name).read_text()
        if not name.startswith("tables/"):
            assert compile_module(folder, name)


def test_an_edit_that_does_not_fit_is_noticed(tmp_path):
    with pytest.raises(AssertionError, match=r"settings\.py has 0"):
        next_firmware.make(tmp_path / "next", (("settings.py", "no such text", ""),))


def test_uint8_defaults_are_taken():
    """What is inserted has its own default."""
    fields = cited("MEP p.1", uint8("a", "H"), uint8("new", "H", default=9), uint8("b", "H"))
    one = Table(
        "BT06", "T", fields, READ, READ, kept(), earlier=(Earlier(2, (0, 0, 1), (1, 2, 1)),)
    )
    assert carry_over(one, 1, b"\x01\x02") == b"\x01\x09\x02"

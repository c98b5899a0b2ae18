"""The reference under docs/: fresh, complete, and honest about what is from where."""

import re
from pathlib import Path

import pytest

from osgp_tools import event_docs, model, model_docs, procedure_docs, reference
from tables import definitions, events, schema

DOCS = Path(__file__).parents[2] / "docs"
PAGES = reference.pages()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_committed_pages_are_fresh(name):
    assert (DOCS / name).read_text() == PAGES[name], f"{name}: run make docs"


def test_no_page_of_a_table_that_is_gone():
    there = {f"tables/{path.name}" for path in (DOCS / "tables").glob("*")}
    assert there == {name for name in PAGES if name.startswith("tables/")}


def test_make_docs_writes_all_of_them(tmp_path, capsys):
    assert model.main(["--docs", str(tmp_path)]) == 0
    assert f"{len(PAGES)} pages" in capsys.readouterr().out
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")}
    assert written == set(PAGES)


def numbers(text: str, prefix: str) -> set[int]:
    """What "BT09, BT17-BT19" names."""
    found = set()
    for first, last in re.findall(rf"{prefix}(\d+)(?:-{prefix}(\d+))?", text):
        found.update(range(int(first), int(last or first) + 1))
    return found


@pytest.mark.parametrize(
    ("page", "prefixes", "items", "ends"),
    [
        ("tables/README.md", ("BT", "ET"), definitions.TABLES, (80, 160)),
        ("procedures.md", ("BP", "EP"), definitions.PROCEDURES, (16, 96)),
    ],
)
def test_every_number_is_there_or_said_to_be_absent(page, prefixes, items, ends):
    section = PAGES[page].split("## How many there are")[1].split("\n## ")[0]
    there, absent = re.split(r"\nAbsent|\nNamed", section, maxsplit=1)
    for prefix, end in zip(prefixes, ends, strict=True):
        mine = {int(one.name[2:]) for one in items if one.name.startswith(prefix)}
        assert numbers(there, prefix) == mine
        # what is absent may be told with the field of a table that names it: (ET11.23)
        missing = numbers(re.sub(r"\(.*?\)", "", absent), prefix)
        assert mine | missing == set(range(end))
        assert not mine & missing


def test_counts_by_origin_add_up():
    for page, items in (
        ("tables/README.md", definitions.TABLES),
        ("procedures.md", definitions.PROCEDURES),
    ):
        section = PAGES[page].split("## How many there are")[1].split("Absent")[0]
        counts = [int(n) for n in re.findall(r"^- (\d+) ", section, re.MULTILINE)]
        assert sum(counts) == len(items)
        for origin, count in zip(model_docs.ORIGINS, counts, strict=True):
            assert count == sum(one.origin == origin for one in items)


@pytest.mark.parametrize("table", definitions.TABLES, ids=lambda one: one.name)
def test_a_table_says_truly_where_its_layout_stands(table):
    """A table of the guides cites them; one of this project cites itself somewhere."""
    clauses = [one.clause for one in model_docs.definitions_of(table.record)]
    starts = {
        schema.GUIDE: ("MEP", "OPT"),
        schema.C12_19: ("C12.19", ""),
        schema.PROFILE: ("profile", ""),
    }
    if clauses:
        wanted = starts[table.origin]
        assert any(one.startswith(wanted) if one else "" in wanted for one in clauses)


def test_missing_numbers():
    assert model_docs.missing("BT", {0, 1, 4, 9}, 10) == "BT02-BT03, BT05-BT08"
    assert model_docs.missing("ET", {1}, 3) == "ET00, ET02"
    assert model_docs.missing("ET", set(), 2) == "ET00-ET01"
    assert model_docs.missing("ET", {0, 1}, 2) == ""


# ---- procedures


def sections() -> dict[str, str]:
    parts = PAGES["procedures.md"].split("\n## ")[1:]
    return {part.split(" ")[0]: part for part in parts}


@pytest.mark.parametrize("procedure", definitions.PROCEDURES, ids=lambda one: one.name)
def test_a_procedure_is_printed_whole(procedure):
    text = sections()[procedure.name]
    for record in (procedure.parameters, procedure.response):
        for field in record.fields:
            assert f"`{field.name}" in text or f"**{field.name}" in text or not field.name
    for code, meaning in procedure.results.items():
        assert f"- Result {code}: {meaning}" in text
    assert procedure.doc in text
    assert procedure.rest in text


def test_offsets_of_a_procedure_are_those_of_the_guide():
    """EP19 (MEP p.245-247): the request type at 7, its data from 8; the index at 4."""
    text = sections()["EP19"]
    assert "| 7 | `type` | UINT8 | H |" in text
    assert "| 8 | | octets | H |" in text
    assert "| 4 | `index` | UINT8 | M |" in text


def test_links_of_the_list_lead_to_the_sections():
    text = PAGES["procedures.md"]
    headings = {
        re.sub(r"[^a-z0-9-]", "", line[3:].lower().replace(" ", "-"))
        for line in text.splitlines()
        if line.startswith("## ")
    }
    assert set(re.findall(r"\(#(.*?)\)", text)) <= headings
    assert procedure_docs.page(()).count("\n## ") == 1


# ---- events


def test_every_event_is_printed():
    text = event_docs.page()
    for number, name, title, *_ in events.STANDARD + events.EXTENDED:
        assert f"| {number} | `{name}` | {title} |" in text
    assert text.count("unknown: never raised") == sum(
        one[5] == events.UNKNOWN for one in events.STANDARD + events.EXTENDED
    )

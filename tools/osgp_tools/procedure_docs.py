"""Prints the page of the procedures, docs/procedures.md in the repository."""

from collections.abc import Iterator

from osgp_tools.model_docs import HEAD, LEVELS, ORIGINS, Place, by_origin, missing, rows
from tables.dimensions import BT00_BASIC_PROCEDURES, BT00_EXTENDED_PROCEDURES
from tables.schema import Procedure, Record

BASIC, EXTENDED = 8, 46  # procedures that OSGP counts (ESNA's slides)
_PARAMETERS_AT = 3  # in BT07
_RESPONSE_AT = 4  # in BT08
_RESULTS = (
    "0 done, 1 accepted and not complete, 2 bad parameter, 3 conflicts with the setup, 4 timing, "
    "5 no authorization, 6 no such procedure"
)


def page(procedures: tuple[Procedure, ...]) -> str:
    """The text of the page."""
    ordered = sorted(procedures, key=lambda one: one.number)
    lines = [
        "# Procedures of this meter",
        "",
        "Printed from `firmware/tables` by `make docs`; the device checks calls against the same "
        "definitions. Do not edit.",
        "",
        "A write of [BT07](tables/BT07.md) initiates a procedure, [BT08](tables/BT08.md) has its "
        f"result: {_RESULTS}. What another code means, or one of these means there, stands with "
        "the procedure. Offsets are those of BT07 and BT08; numbers are stored least significant "
        "octet first.",
        "",
        "| Procedure | Number | Title | Who | Parameters | Layout |",
        "|---|---|---|---|---|---|",
        *map(_line, ordered),
        "",
        "## How many there are",
        "",
        *_count(ordered),
    ]
    for one in ordered:
        lines += ["", *_section(one)]
    return "\n".join(lines) + "\n"


def _line(one: Procedure) -> str:
    octets = f"{one.parameters.size} octets" if one.parameters.size else "none"
    if one.rest:
        octets = f"{one.parameters.size} octets or more"
    anchor = f"{one.name} {one.title}".lower().replace(" ", "-")
    anchor = "".join(c for c in anchor if c.isalnum() or c == "-")
    return (
        f"| [{one.name}](#{anchor}) | {one.number} | {one.title} | {LEVELS[one.level]} "
        f"| {octets} | {one.origin} |"
    )


def _count(ordered: list[Procedure]) -> Iterator[str]:
    basic = {one.number for one in ordered if one.name.startswith("BP")}
    extended = {one.number - 2048 for one in ordered if one.name.startswith("EP")}
    yield (
        f"OSGP counts {BASIC} basic and {EXTENDED} extended procedures (ESNA); which numbers they "
        f"have is not public. This meter has {len(basic)} basic and {len(extended)} extended ones:"
    )
    yield ""
    yield from by_origin(ordered)
    yield ""
    yield (
        "Absent, because no public document on OSGP names them (ANSI C12.19 has more basic "
        "procedures than OSGP took over): "
        f"{missing('BP', basic, 8 * BT00_BASIC_PROCEDURES)}; "
        f"{missing('EP', extended, 8 * BT00_EXTENDED_PROCEDURES)}."
    )


def _section(one: Procedure) -> Iterator[str]:
    yield f"## {one.name} {one.title}"
    yield ""
    yield (
        f"Procedure {one.number} (0x{one.number:04X}), for {LEVELS[one.level]}; "
        f"{ORIGINS[one.origin]}{f' ({one.clause})' if one.clause else ''}."
    )
    if one.doc:
        yield ""
        yield one.doc
    yield ""
    if one.parameters.size or one.rest:
        yield "Parameters:"
        yield ""
        yield from _fields(one.parameters, _PARAMETERS_AT)
        if one.rest:
            yield f"| {_PARAMETERS_AT + one.parameters.size} | | octets | H | | {one.rest} | |"
    else:
        yield "No parameters."
    yield ""
    if one.response.size:
        yield "Response:"
        yield ""
        yield from _fields(one.response, _RESPONSE_AT)
    else:
        yield "No response but the result."
    if one.results:
        yield ""
        yield from (f"- Result {code}: {one.results[code]}" for code in sorted(one.results))


def _fields(record: Record, at: int) -> Iterator[str]:
    yield from HEAD
    yield from rows(record, Place(at), "", bytes(at + record.size))

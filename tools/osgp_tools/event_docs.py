"""Prints the page of the events, docs/events.md in the repository."""

from collections import Counter
from collections.abc import Iterator

from tables import events

_CONFIDENCE = {
    events.HIGH: "",
    events.LOW: "inferred",
    events.UNKNOWN: "unknown: never raised",
}


def page() -> str:
    """The text of the page."""
    every = (*events.STANDARD, *events.EXTENDED)
    counts = Counter(confidence for *_, confidence in every)
    lines = [
        "# Events of this meter",
        "",
        "Printed from `firmware/tables/events.py` by `make docs`. Do not edit.",
        "",
        "An event is logged in [BT74](tables/BT74.md) or [ET79](tables/ET79.md) and sets its "
        "alarm in [BT03](tables/BT03.md), as [BT73](tables/BT73.md) and [ET22](tables/ET22.md) "
        "choose.",
        "",
        f"OSGP counts 50 basic and 46 extended events, {len(every)} in all. The names of "
        f"{counts[events.HIGH]} were read in a public document, {counts[events.LOW]} are "
        f"inferred, {counts[events.UNKNOWN]} are unknown.",
        "",
        "## Basic events",
        "",
        *_rows(events.STANDARD),
        "",
        "## Extended events",
        "",
        *_rows(events.EXTENDED),
    ]
    return "\n".join(lines) + "\n"


def _rows(some) -> Iterator[str]:
    yield "| Event | Name | Meaning | Alarm in BT03 | Argument | |"
    yield "|---|---|---|---|---|---|"
    for number, name, title, alarm, argument, confidence in some:
        shown = f"`{alarm}`" if alarm else ""
        yield (
            f"| {number} | `{name}` | {title} | {shown} | {argument} | {_CONFIDENCE[confidence]} |"
        )

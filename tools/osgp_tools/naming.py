"""BT23, ET03, BP10, EP11: the numbers that these names mean, and a part of a table."""

from dataclasses import dataclass

EXTENDED = 2048


@dataclass(frozen=True)
class Part:
    """Octets of a table: from `offset` (else its first), `count` of them (else to its end)."""

    table: int
    offset: int | None = None
    count: int | None = None

    @property
    def start(self) -> int:
        return self.offset or 0


def table(text: str) -> int:
    """BTnn, ETnn or the number itself, without the 4096 of a pending table. ValueError."""
    return _number(text, ("BT", "ET"), "table: BT23, ET03")


def procedure(text: str) -> int:
    """BPnn, EPnn or the number itself. ValueError."""
    return _number(text, ("BP", "EP"), "procedure: BP10, EP11")


def _number(text: str, kinds: tuple[str, str], what: str) -> int:
    kind, digits = text[:2].upper(), text[2:]
    if kind in kinds and digits.isdecimal() and int(digits) < EXTENDED:
        return int(digits) + EXTENDED * kinds.index(kind)
    if text.isdecimal() and int(text) < 2 * EXTENDED:
        return int(text)
    raise ValueError(f"{text} is no {what} or a number")

"""Procedures by name: parameters out of name=value, results and responses in words.

What a procedure takes and gives stands in the definitions (`tables.definitions.PROCEDURES`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from osgp_tools import values
from osgp_tools.decode_names import procedure_number
from osgp_tools.session import Outcome, Result, Session, SessionError
from tables import definitions
from tables.schema import Procedure

PROCEDURES: dict[int, Procedure] = {one.number: one for one in definitions.PROCEDURES}
REST = "rest"  # what the octets behind the named parameters may always be called
LONGEST = 255  # octets of parameters (BT00.9)


class ProcedureError(SessionError):
    """A procedure was initiated and is not done."""


def name(one: int) -> str:
    """BP10 and its title, as far as there is one."""
    definition = PROCEDURES.get(one)
    return f"{definition.name} {definition.title}" if definition else procedure_number(one)


def parameters(one: int, words: Sequence[str]) -> bytes:
    """The octets of name=value. All must be given; reserved ones are 0. ValueError."""
    definition = PROCEDURES.get(one)
    if definition is None:
        if words:
            raise ValueError(f"{name(one)} has no names: give its parameters by --hex")
        return b""
    record = definition.parameters
    body = bytearray(record.size)
    given = set()
    rest = b""
    for word in words:
        path, text = values.split(word)
        if definition.rest and path in (definition.rest, REST):
            rest = bytes.fromhex(text)
        else:
            values.put(values.find(record, path), text, body)
        given.add(path.partition(".")[0])
    wanted = [field.name for field in record.fields if field.name and field.size]
    missing = [field for field in wanted if field not in given]
    if missing:
        raise ValueError(f"{definition.name} lacks {', '.join(missing)}; it takes {takes(one)}")
    return bytes(body) + rest


def takes(one: int) -> str:
    """What the parameters of a defined procedure are."""
    definition = PROCEDURES[one]
    text = values.described(definition.parameters)
    if not definition.rest:
        return text
    if definition.rest.isidentifier():
        return f"{text}, {definition.rest} (octets)"
    return f"{text}, {REST} (octets: {definition.rest})"


def explain_parameters(one: int, data: bytes) -> Iterator[str]:
    """Lines for the parameters in a BT07; their octets when they have no names."""
    definition = PROCEDURES.get(one)
    size = definition.parameters.size if definition else 0
    wrong = definition and (len(data) < size or (len(data) > size and not definition.rest))
    if definition is None or wrong:
        yield f"parameters {data.hex() or 'none'}{', of a wrong length' if wrong else ''}"
        return
    yield from values.shown(definition.parameters, data[:size])
    if definition.rest:
        label = definition.rest if definition.rest.isidentifier() else REST
        yield f"{label} = {data[size:].hex()}"


def explain_response(one: int, result: int, data: bytes) -> Iterator[str]:
    """Lines for the response in a BT08. What did not go well has none."""
    definition = PROCEDURES.get(one)
    if definition is None:
        if any(data):
            yield f"data {data.hex()}"
    elif result == Result.DONE or result in definition.results:
        yield from values.shown(definition.response, data)


def result_text(one: int, result: int) -> str:
    """A result in words: the procedure's own, else that of all procedures."""
    definition = PROCEDURES.get(one)
    own = definition.results.get(result) if definition else None
    if own:
        return f"{result} {own}"
    if result in list(Result):
        return f"{result} {Result(result).text}"
    return f"{result} unknown result"


@dataclass(frozen=True)
class Called:
    """What a procedure came to."""

    number: int
    outcome: Outcome

    @property
    def done(self) -> bool:
        return self.outcome.result == Result.DONE

    def __str__(self) -> str:
        return f"{name(self.number)}: {result_text(self.number, self.outcome.result)}"

    def lines(self) -> Iterator[str]:
        return explain_response(self.number, self.outcome.result, self.outcome.data)


async def call(session: Session, one: int, data: bytes) -> Called:
    """Run it once and wait for what it comes to. A result of its own is never waited out."""
    if len(data) > LONGEST:
        raise ValueError(f"{len(data)} octets of parameters: {LONGEST} is the most")
    definition = PROCEDURES.get(one)
    final = definition is not None and Result.ACCEPTED in definition.results
    waiting = () if final else (Result.ACCEPTED,)
    return Called(one, await session.procedure(one, data, waiting))

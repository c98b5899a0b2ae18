"""Explains OSGP table access: commands, answers, what tables' octets mean (`osgp.md` 1.1)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from osgp_tools import model, pending, procedures, transactions
from osgp_tools.decode_names import RESPONSE, TABLE_COMMAND, table_number
from osgp_tools.explanation import Node, octets
from osgp_tools.secured import DIGEST_LENGTH
from osgp_tools.transactions import Transaction

FULL_READ, PARTIAL_READ, FULL_WRITE, PARTIAL_WRITE = 0x30, 0x3F, 0x40, 0x4F
_SEQUENCE_LENGTH = 4
_DIGEST_ERROR, _SEQUENCE_ERROR = 0x0B, 0x0C
_BT07_HEAD, _BT08_HEAD = 3, 4
_LONGEST_VALUE = 60  # characters of one value


@dataclass(frozen=True)
class Command:
    """A command taken apart. `count` is what it says, `data` what there is."""

    service: int
    table: int
    offset: int
    count: int
    data: bytes
    sequence: int

    @property
    def writes(self) -> bool:
        return self.service in (FULL_WRITE, PARTIAL_WRITE)

    def __str__(self) -> str:
        text = f"{TABLE_COMMAND[self.service]} of {table_name(self.table)}"
        if self.service in (PARTIAL_READ, PARTIAL_WRITE):
            text += f", {self.count} octets from {self.offset}"
        elif self.writes:
            text += f", {self.count} octets"
        return text


def parse_command(text: bytes) -> Command | None:
    """Command and sequence number, of exactly the right length; None when it is none."""
    if not text or text[0] not in TABLE_COMMAND:
        return None
    partial = text[0] in (PARTIAL_READ, PARTIAL_WRITE)
    writes = text[0] in (FULL_WRITE, PARTIAL_WRITE)
    head = 3 + (3 if partial else 0)
    fixed = head + (2 if partial or writes else 0)
    count = int.from_bytes(text[head:fixed], "big")
    if len(text) != fixed + (count if writes else 0) + _SEQUENCE_LENGTH:
        return None
    return Command(
        text[0],
        int.from_bytes(text[1:3], "big"),
        int.from_bytes(text[3:6], "big") if partial else 0,
        count,
        text[fixed:-_SEQUENCE_LENGTH],
        int.from_bytes(text[-_SEQUENCE_LENGTH:], "big"),
    )


def table_name(number: int) -> str:
    """BT23 and its title; of a pending table that it is one."""
    if pending.PENDING <= number < 2 * pending.PENDING:
        return f"pending {table_name(number - pending.PENDING)}"
    table = model.TABLES.get(number)
    return f"{table.name} {table.title}" if table else table_number(number)


def explain_request(node: Node, apdu: bytes, opened: bytes | None) -> Command | None:
    """A request's APDU under `node`; `opened` is its text when a key fitted."""
    command = parse_command(apdu[1:-DIGEST_LENGTH] if opened is None else opened)
    if command is None:
        node.add(f"encrypted, or no command: {octets(apdu[1:-DIGEST_LENGTH])}")
    else:
        node.add(str(command))
        if command.writes:
            _explain_data(node, command.table, command.offset, command.data)
        node.add(f"sequence number {command.sequence}")
    node.add(f"digest {octets(apdu[-DIGEST_LENGTH:])}")
    return command


def explain_answer(node: Node, apdu: bytes, opened: bytes | None, command: Command | None) -> str:
    """An answer's APDU under `node`. Returns what it says in a few words."""
    if apdu[1:] == bytes((_DIGEST_ERROR,)):
        node.add(_code(_DIGEST_ERROR))
        return RESPONSE[_DIGEST_ERROR]
    text = apdu[1:-DIGEST_LENGTH] if opened is None else opened
    if opened is None and not _looks_clear(text):
        node.add(f"encrypted: {octets(text)}")
        said = "encrypted"
    else:
        said = _explain_code(node, text, command)
    node.add(f"digest {octets(apdu[-DIGEST_LENGTH:])}")
    return said


def _looks_clear(text: bytes) -> bool:
    """One code, or 00 with a count that fits, or 0C with a number."""
    if len(text) == 1:
        return text[0] in RESPONSE
    if len(text) == 1 + _SEQUENCE_LENGTH and text[0] == _SEQUENCE_ERROR:
        return True
    return len(text) >= 3 and text[0] == 0 and len(text) == 3 + int.from_bytes(text[1:3], "big")


def _code(code: int) -> str:
    return f"{code:02X} {RESPONSE.get(code, 'unknown response code')}"


def _explain_code(node: Node, text: bytes, command: Command | None) -> str:
    if text[0] == _SEQUENCE_ERROR and len(text) == 1 + _SEQUENCE_LENGTH:
        node.add(f"{_code(text[0])}, expected {int.from_bytes(text[1:], 'big')}")
    elif len(text) >= 3:
        data = text[3:]
        line = node.add(f"{_code(text[0])}, {len(data)} octets")
        if command:
            _explain_data(line, command.table, command.offset, data)
        else:
            line.add(octets(data))
    else:
        node.add(_code(text[0]))
    return RESPONSE.get(text[0], _code(text[0]))


def _explain_data(node: Node, table: int, offset: int, data: bytes) -> None:
    """What the octets of a table from `offset` on mean."""
    if pending.PENDING <= table < 2 * pending.PENDING and len(data) >= pending.PED_SIZE:
        node.add(f"pending: {pending.Ped.decode(data[: pending.PED_SIZE])}")
        table, data = table - pending.PENDING, data[pending.PED_SIZE :]
    explainer = _EXPLAINERS.get(table)
    node.add(f"data {octets(data)}")
    if explainer is None or offset or not explainer(node, data):
        _explain_values(node, table, offset, data)


def _explain_values(node: Node, table: int, offset: int, data: bytes) -> None:
    if table in model.TABLES:
        for name, value in _flat("", model.decode(table, data, offset)):
            node.add(_short(f"{name}: {value}", len(name) + 2))


def _short(text: str, name: int = 0) -> str:
    limit = name + _LONGEST_VALUE
    return text[:limit] + "..." if len(text) > limit else text


def _explain_initiate(node: Node, data: bytes) -> bool:
    """BT07: which procedure, and its parameters by name."""
    if len(data) < _BT07_HEAD:
        return False
    number = int.from_bytes(data[:2], "little") & 0x0FFF
    line = node.add(f"{procedures.name(number)}, number {data[2]}")
    for text in procedures.explain_parameters(number, data[_BT07_HEAD:]):
        line.add(_short(text))
    return True


def _explain_response(node: Node, data: bytes) -> bool:
    """BT08: what a procedure came to, and its response by name."""
    if len(data) < _BT08_HEAD:
        return False
    number, result = int.from_bytes(data[:2], "little") & 0x0FFF, data[3]
    line = node.add(
        f"{procedures.name(number)}, number {data[2]}: {procedures.result_text(number, result)}"
    )
    for text in procedures.explain_response(number, result, data[_BT08_HEAD:]):
        line.add(_short(text))
    return True


def _explain_transaction(node: Node, data: bytes) -> bool:
    """ET27 and ET28, if they are wholly there: their messages one by one."""
    one = Transaction.decode(data)
    if one is None:
        return False
    kind = transactions.TYPES[one.type] if one.type < len(transactions.TYPES) else "?"
    line = node.add(f"transaction {one.number}: {kind}, {len(one.messages)} messages")
    if one.groups:
        line.add(f"groups {', '.join(f'{group:04X}' for group in one.groups)}")
    for message in one.messages:
        command = parse_command(message + bytes(_SEQUENCE_LENGTH))
        if one.type in (transactions.REQUESTS, transactions.GROUPS) and command:
            inner = line.add(str(command))
            if command.writes:
                _explain_data(inner, command.table, command.offset, command.data)
        elif message:
            _explain_code(line, message, None)
        else:
            line.add("no answer")
    return True


_EXPLAINERS: dict[int, Callable[[Node, bytes], bool]] = {
    7: _explain_initiate,
    8: _explain_response,
    transactions.REQUEST: _explain_transaction,
    transactions.RESPONSE_TABLE: _explain_transaction,
}


def _flat(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Leaves of nested values with their paths; what was not in the octets is left out."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for index, inner in enumerate(value):
            yield from _flat(f"{path}.{index}", inner)
    elif value is not None and not (isinstance(value, list) and set(map(str, value)) == {"None"}):
        yield path, value

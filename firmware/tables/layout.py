"""Walks a definition: where each field lies, the default body, what a host may write.

Used by the host tools and by tests; the device walks the compiled model instead.
"""

from tables.schema import NEVER, Array, Record


def leaves(item, offset=0, path=""):
    """Yields (path, offset, field) for every value of `item`, in order.

    The path of a value in a record is `record.name`, in an array `array.index`. Reserved octets
    have an empty last part.
    """
    if isinstance(item, Record):
        for field in item.fields:
            yield from leaves(field, offset, f"{path}.{field.name}" if path else field.name)
            offset += field.size
    elif isinstance(item, Array):
        for index in range(item.count):
            yield from leaves(item.item, offset, f"{path}.{index}")
            offset += item.item.size
    else:
        yield path, offset, item


def place(table, path):
    """(offset, size) of what `path` names in the table: a value, a record, an array or a bit.

    Raises KeyError for a path that the table does not have.
    """
    item = table.record
    offset = 0
    for name in path.split("."):
        if isinstance(item, Record):
            for field in item.fields:
                if field.name == name:
                    item = field
                    break
                offset += field.size
            else:
                raise KeyError(f"{table.name} has no {path}")
        elif isinstance(item, Array) and name.isdigit() and int(name) < item.count:
            item = item.item
            offset += int(name) * item.size
        elif name not in [part.name for part in getattr(item, "parts", ())]:
            raise KeyError(f"{table.name} has no {path}")
    return offset, item.size


def put(item, body, offset, value):
    """Writes `value` (dict of a record, sequence of an array, or what the type takes).

    A record's missing names and an array's missing or None items stay as they are. Raises
    ValueError for a name that is not there, an item too many, or a value that does not fit.
    """
    if isinstance(item, Record):
        names = [field.name for field in item.fields if field.name]
        for name in value:
            if name not in names:
                raise ValueError(f"{item.name or 'the record'} has no field {name}")
        for field in item.fields:
            if field.name in value:
                put(field, body, offset, value[field.name])
            offset += field.size
    elif isinstance(item, Array):
        if len(value) > item.count:
            raise ValueError(f"{item.name} has {item.count} items, not {len(value)}")
        for one in value:
            if one is not None:
                put(item.item, body, offset, one)
            offset += item.item.size
    else:
        body[offset : offset + item.size] = item.write(value)


def get(item, offset, body, start):
    """What `body`, the octets of the table from `start` on, tells about `item` at `offset`.

    A record becomes a dict without the fields that are not wholly in `body`, an array a list
    with None for such items; None when nothing of it is there.
    """
    if isinstance(item, Record):
        value = {}
        for field in item.fields:
            if field.name:
                one = get(field, offset, body, start)
                if one is not None:
                    value[field.name] = one
            offset += field.size
        return value or None
    if isinstance(item, Array):
        value = []
        for k in range(item.count):
            value.append(get(item.item, offset + k * item.item.size, body, start))
        return value if any(one is not None for one in value) else None
    if offset < start or offset + item.size > start + len(body):
        return None
    return item.read(body[offset - start : offset - start + item.size])


def default_body(table, tables):
    """The body with which a device of this definition starts. `tables`: all definitions."""
    body = bytearray(table.size)
    fill_defaults(table.record, body, 0, tables)
    return bytes(body)


def fill_defaults(item, body, offset, tables):
    """Writes the defaults of `item`; what an array says of its items goes over theirs."""
    if isinstance(item, Record):
        for field in item.fields:
            fill_defaults(field, body, offset, tables)
            offset += field.size
    elif isinstance(item, Array):
        for k in range(item.count):
            fill_defaults(item.item, body, offset + k * item.item.size, tables)
        put(item, body, offset, item.default)
    else:
        put(item, body, offset, item.initial(tables))


def host_runs(table):
    """[(offset, length), ..] of the octets that a host may write, joined and in order."""
    runs = []
    if table.write == NEVER:
        return runs
    for _, offset, field in leaves(table.record):
        if not field.by_host or not field.size:
            continue
        if runs and runs[-1][0] + runs[-1][1] == offset:
            runs[-1] = (runs[-1][0], runs[-1][1] + field.size)
        else:
            runs.append((offset, field.size))
    return runs

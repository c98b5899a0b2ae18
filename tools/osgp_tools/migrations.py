"""How older layouts of kept tables become the one of now: compiled for `osgp.migration`.

Each layout says what became of it in the one that came next (`tables.schema.Earlier`). A device
may skip some: what is compiled goes from each of them straight to the one of now.
"""

from tables.schema import KEPT, STORED, Table

ZEROS = 0xFFFF
_MOST = 255  # what an octet counts
_ENTRY = 16
_DEFAULT = -2  # of a map: this octet has its default,
_ZERO = -1  # is 0, or comes from the octet of that number


def compile_migrations(tables: tuple[Table, ...]) -> bytes:
    """What the device needs to carry tables over; empty when no table had another layout.

    Little-endian, for each such table: number u16, its entry in the compiled model u16, earlier
    layouts u8, whether it has a pending table u8; for each of the layouts, oldest first: octets
    u16, runs u8, n x {from u16 (65535: zeros), to u16, octets u16}. Raises ValueError for a
    description that contradicts itself.
    """
    octets = b""
    for k, one in enumerate(sorted(tables, key=lambda one: one.number)):
        if not one.earlier:
            continue
        if one.source.kind not in (KEPT, STORED):
            raise ValueError(f"{one.name}: nothing of it is kept")
        if len(one.earlier) > _MOST // 2:
            raise ValueError(f"{one.name}: too many versions")
        octets += _u16(one.number) + _u16(2 + _ENTRY * k)
        octets += bytes((len(one.earlier), one.pending))
        for earlier, direct in zip(one.earlier, _direct(one)):
            runs = _runs(direct)
            if len(runs) > _MOST:
                raise ValueError(f"{one.name}: {len(runs)} runs")
            octets += _u16(earlier.size) + bytes((len(runs),))
            octets += b"".join(_u16(number) for run in runs for number in run)
    return octets


def _direct(one: Table) -> list[list[int]]:
    """Of each earlier layout, oldest first: where each octet of the one of now comes from."""
    sizes = [earlier.size for earlier in one.earlier] + [one.size]
    maps = [list(range(one.size))]
    for k in reversed(range(len(one.earlier))):
        step = _step(one, k, sizes[k], sizes[k + 1])
        maps.insert(0, [step[source] if source >= 0 else source for source in maps[0]])
    return maps[:-1]


def _step(one: Table, k: int, size: int, following: int) -> list[int]:
    """Where each octet of the layout that follows the k-th earlier one comes from."""
    step = [_DEFAULT] * following
    for source, target, n in one.earlier[k].moved:
        inside = target >= 0 and target + n <= following and n > 0
        if not inside or (source is not None and not 0 <= source <= source + n <= size):
            raise ValueError(f"{one.name}: version {k + 1} has no {source, target, n}")
        for i in range(n):
            if step[target + i] != _DEFAULT:
                raise ValueError(f"{one.name}: two octets of version {k + 1} at {target + i}")
            step[target + i] = _ZERO if source is None else source + i
    return step


def _runs(origins: list[int]) -> list[tuple[int, int, int]]:
    """(from, to, n), as few as there can be."""
    runs: list[tuple[int, int, int]] = []
    for target, origin in enumerate(origins):
        if origin == _DEFAULT:
            continue
        source = ZEROS if origin == _ZERO else origin
        if runs:
            first, to, n = runs[-1]
            follows = first == ZEROS if origin == _ZERO else first + n == source != ZEROS
            if to + n == target and follows:
                runs[-1] = (first, to, n + 1)
                continue
        runs.append((source, target, 1))
    return runs


def _u16(number: int) -> bytes:
    return number.to_bytes(2, "little")

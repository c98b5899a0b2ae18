"""How a run is told: bars while it works, a table at its end; plain lines where no terminal is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from types import TracebackType

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from osgp_tools.checks import Verdict, by_tier, check_day, check_power, check_registers
from osgp_tools.readout import TOTAL, Day, Figure
from osgp_tools.source import REVERSE, Source


@dataclass(frozen=True)
class Reading:
    """All that was read of one device, and the source that it measured."""

    unique_id: bytes
    address: str  # subnet/node
    identity: dict[str, str]
    registers: Sequence[Figure]
    instantaneous: Sequence[Figure]
    day: Day
    source: Source

    @cached_property
    def verdict(self) -> Verdict:
        """Everything that was read, held against the source."""
        return (
            check_day(self.day, self.source)
            + check_registers(self.registers, self.source)
            + check_power(self.instantaneous, self.source)
        )

    def register(self, tier: int, quantity: str = "forward_wh") -> int:
        return next(f.value for f in self.registers if (f.tier, f.quantity) == (tier, quantity))

    def value(self, quantity: str) -> int:
        return next(f.value for f in self.instantaneous if f.quantity == quantity)

    def consumption(self, name: str = "forward_wh") -> int:
        """Of the day, in Wh."""
        return sum(by_tier(self.day, name).values())


class Teller:
    """Progress on a terminal as bars, elsewhere a line for each step that is done."""

    def __init__(self, console: Console):
        self.console = console
        self._bars = Progress(
            TextColumn("{task.description:<14}"),
            BarColumn(bar_width=32),
            TextColumn("{task.percentage:>4.0f} %  {task.fields[step]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Teller":
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def begin(self, name: str, steps: float) -> None:
        """A bar of its own for `name`."""
        self._tasks[name] = self._bars.add_task(name, total=steps, step="")

    def step(self, name: str, done: float, text: str, quiet: bool = False) -> None:
        """`name` has come to `done` and does `text`; `quiet`: not worth a line of its own."""
        self._bars.update(self._tasks[name], completed=done, step=text)
        if not self.console.is_terminal and not quiet:
            self.console.print(f"{name}: {text}", highlight=False)


def tables(devices: Sequence[Reading]) -> list[Table]:
    """Who, with registers by tariff and instantaneous values; and the day beside the source's."""
    ends_at = devices[0].day.intervals[-1].ends_at
    now = _table(
        "Registers and instantaneous values",
        "device",
        "node",
        "total\nWh",
        "tariff 0\nWh",
        "tariff 1\nWh",
    )
    for title in ("fed in\nWh", "now\nW", "L1\nV", "L1\nA"):
        now.add_column(title, justify="right")
    day = _table(
        f"The day that ends {ends_at:%Y-%m-%d %H:%M} UTC",
        *("device", "consumed\nWh", "tariff 0\nWh", "tariff 1\nWh"),
    )
    for title in ("source\nWh", "fed in\nWh", "source\nWh"):
        day.add_column(title, justify="right")
    day.add_column("\nequal")
    for one in devices:
        now.add_row(one.unique_id.hex(), one.address, *_now(one))
        day.add_row(one.unique_id.hex(), *_day(one))
    return [now, day]


def _table(title: str, *columns: str) -> Table:
    """Names to the left, figures to the right."""
    result = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for column in columns:
        result.add_column(column, justify="right" if "\n" in column else "left")
    return result


def _now(one: Reading) -> Sequence[str]:
    energy = (one.register(TOTAL), one.register(0), one.register(1))
    return (
        *(f"{value:,}" for value in energy),
        f"{one.register(TOTAL, 'reverse_wh'):,}",
        f"{one.value('forward_w') - one.value('reverse_w'):,}",
        f"{one.value('voltage_l1') / 1000:.1f}",
        f"{one.value('current_l1') / 1000:.2f}",
    )


def _day(one: Reading) -> Sequence[str]:
    tiers = by_tier(one.day)
    end = one.day.intervals[-1].ends_at
    begin = end - timedelta(days=1)
    return (
        f"{one.consumption():,}",
        f"{tiers[0]:,}",
        f"{tiers[1]:,}",
        f"{one.source.consumption(begin, end):,}",
        f"{one.consumption('reverse_wh'):,}",
        f"{one.source.consumption(begin, end, REVERSE):,}",
        "[red]no[/]" if one.verdict.wrong else "[green]yes[/]",
    )

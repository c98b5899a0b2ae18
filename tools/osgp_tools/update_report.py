"""How an update is told: bars on a terminal, elsewhere lines; a table at its end."""

import json
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from osgp_tools.simulation.report import duration
from osgp_tools.update import Listener, Update
from osgp_tools.update_device import Part, Stage
from osgp_tools.update_spread import Spread

MOST_BARS = 24  # devices; of more there is one bar alone
LINES, FEW = 10, 50  # about a round, where there is no terminal; packets that are worth none


class Teller(Listener):
    """A bar for what everybody does, and one for each device: packets that it is known to have."""

    def __init__(self, console: Console):
        self.console = console
        self._bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._all = self._bars.add_task("", total=None, text="")
        self._tasks: dict[Part, TaskID] = {}
        self._told: dict[Part, str] = {}
        self._round = ""
        self._size = 0  # packets of it

    def __enter__(self) -> "Teller":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def phase(self, text: str) -> None:
        self._bars.update(self._all, description=text, total=None, completed=0, text="")
        self._line(text)

    def part(self, part: Part) -> None:
        text = "does not answer" if part.silent and not part.refusal else part.text
        if part not in self._tasks and len(self._tasks) < MOST_BARS:
            total = part.image.packets
            self._tasks[part] = self._bars.add_task(str(part), total=total, text="")
        if part in self._tasks:
            self._bars.update(self._tasks[part], completed=part.there, text=text)
        if self._told.get(part) != text:
            self._told[part] = text
            self._line(f"{part}: {text}")

    def packet(self, spread: Spread) -> None:
        name = f"packets to {spread.to}" if spread.to else f"round {spread.rounds}"
        if name != self._round:
            self._round = name
            self._size = spread.left + 1
        done = self._size - spread.left
        text = f"{done} of {self._size} packets"
        self._bars.update(self._all, description=name, total=self._size, completed=done, text=text)
        if done % max(self._size // LINES, FEW) == 0:
            self._line(f"{name}: {text}")

    def _line(self, text: str) -> None:
        if not self.console.is_terminal:
            self.console.print(text, highlight=False, soft_wrap=True)


def table(update: Update) -> Table:
    """What became of it in each device."""
    result = Table(
        title=f"Update to {update.image}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for title in ("device", "node", "bank", "outcome"):
        result.add_column(title)
    for part in update.parts:
        member = part.member
        bank = part.status.bank if part.status else ""
        node = f"{member.subnet}/{member.node}"
        result.add_row(member.unique_id.hex(), node, bank, part.text)
    return result


def summary(update: Update, seconds: float) -> str:
    """In one line: who, by how many packets, in what time."""
    runs = sum(part.stage == Stage.CONFIRMED for part in update.parts)
    trials = sum(part.stage == Stage.TRIAL for part in update.parts)
    words = [f"{runs} of {len(update.parts)} run it"]
    if trials:
        words.append(f"{trials} on trial")
    if update.said:
        words.append(f"{update.said} packets by broadcast in {update.rounds} rounds")
    if update.given:
        words.append(f"{update.given} packets one by one")
    return ", ".join([*words, duration(seconds)])


def write(path: Path, update: Update, seconds: float) -> None:
    """The same for programs: JSON."""
    path.write_text(json.dumps(figures(update, seconds), indent=1) + "\n")


def figures(update: Update, seconds: float) -> dict:
    """All that is known at the end."""
    return {
        "image": update.image.id.hex(),
        "version": update.image.header.version,
        "packets": update.image.packets,
        "seconds": seconds,
        "rounds": update.rounds,
        "broadcast": update.said,
        "unicast": update.given,
        "devices": [
            {
                "unique_id": part.member.unique_id.hex(),
                "subnet": part.member.subnet,
                "node": part.member.node,
                "stage": part.stage.name.lower(),
                "refusal": part.refusal,
            }
            for part in update.parts
        ],
    }

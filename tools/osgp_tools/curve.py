"""The load curve of a day as a picture."""

import math
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from osgp_tools.checks import tier_at
from osgp_tools.readout import Day
from osgp_tools.source import BERLIN

_INK, _GRID, _NIGHT = "#333333", "#dddddd", "#f1f3f6"
_USED, _FED_IN = "#1f6f8b", "#e0a030"


def draw(days: Sequence[tuple[str, Day]], paths: Sequence[Path]) -> None:
    """Mean power by interval, a panel for each device (label, day), written to each path."""
    import matplotlib as mpl

    mpl.use("Agg")  # no screen needed
    import matplotlib.pyplot as plt
    from matplotlib.dates import DateFormatter, HourLocator

    style: Any = {
        "font.size": 9,
        "axes.edgecolor": _INK,
        "text.color": _INK,
        "svg.hashsalt": "osgp",  # the same picture for the same day
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with plt.rc_context(style):
        figure, axes = plt.subplots(
            len(days),
            1,
            figsize=(9, 1.2 + 1.9 * len(days)),
            sharex=True,
            sharey=True,
            squeeze=False,
        )
        for axis, (label, day) in zip(axes[:, 0], days):
            _panel(axis, label, day)
        last = axes[-1, 0]
        last.xaxis.set_major_locator(HourLocator(byhour=range(0, 24, 3), tz=BERLIN))
        last.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=BERLIN))
        last.set_xlabel("local time (Europe/Berlin); shaded: night tariff")
        handles = axes[0, 0].get_legend_handles_labels()
        figure.legend(*handles, loc="upper right", ncols=2, frameon=False)
        end = days[0][1].intervals[-1].ends_at
        title = f"Load profile of {end - timedelta(days=1):%d %B %Y} (UTC day), read over the line"
        figure.suptitle(title, x=0.08, ha="left", fontsize=11)
        figure.tight_layout(rect=(0, 0, 1, 0.99))
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else {})
        plt.close(figure)


def _panel(axis, label: str, day: Day) -> None:
    """Steps of one device: consumption upwards, feed-in downwards, nights shaded."""
    ends = [one.ends_at for one in day.intervals]
    length = ends[1] - ends[0]
    edges = [ends[0] - length, *ends]
    per_hour = timedelta(hours=1) / length
    names = [name for name, _ in day.quantities]
    shown = (("forward_wh", 1, _USED, "consumption"), ("reverse_wh", -1, _FED_IN, "feed-in"))
    for name, sign, colour, legend in shown:
        channel = names.index(name)
        power = [sign * one.consumption[channel] * per_hour for one in day.intervals]
        if sign < 0:  # a line where there is any, not along all of the day
            power = [value or math.nan for value in power]
        axis.stairs(power, edges, baseline=0, fill=True, color=colour, alpha=0.25, linewidth=0)
        axis.stairs(power, edges, baseline=None, color=colour, linewidth=1.4, label=legend)
    for start, end in pairwise(edges):
        if tier_at(start):
            axis.axvspan(start, end, color=_NIGHT, linewidth=0, zorder=0)
    axis.axhline(0, color=_INK, linewidth=0.6)
    axis.grid(axis="y", color=_GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.set_xlim(edges[0], edges[-1])
    axis.set_ylabel("mean power / W")
    used = sum(one.consumption[names.index("forward_wh")] for one in day.intervals)
    fed_in = sum(one.consumption[names.index("reverse_wh")] for one in day.intervals)
    text = f"{label}: {used / 1000:.3f} kWh" + (
        f", fed in {fed_in / 1000:.3f} kWh" if fed_in else ""
    )
    axis.set_title(text, loc="left", fontsize=9)

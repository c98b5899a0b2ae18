"""Load curves as pictures: a day of several devices, and whatever a data set has recorded."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from osgp_tools.checks import tier_at
from osgp_tools.profile_readout import Profile, ReadoutError
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

    with plt.rc_context(_style()):
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
            _save(figure, path)
        plt.close(figure)


def _style() -> Any:
    return {
        "font.size": 9,
        "axes.edgecolor": _INK,
        "text.color": _INK,
        "svg.hashsalt": "osgp",  # the same picture for the same day
        "axes.spines.top": False,
        "axes.spines.right": False,
    }


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else {})


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


def draw_profile(title: str, profile: Profile, path: Path) -> None:
    """A panel for each channel: what is counted as mean power or by interval, the rest as it is.

    ReadoutError: there is nothing to draw.
    """
    if len(profile.intervals) < 2:
        raise ReadoutError(f"nothing to draw: {profile}")
    import matplotlib as mpl

    mpl.use("Agg")  # no screen needed
    import matplotlib.pyplot as plt
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    with plt.rc_context(_style()):
        channels = len(profile.sources)
        figure, axes = plt.subplots(
            channels, 1, figsize=(9, 1.2 + 1.9 * channels), sharex=True, squeeze=False
        )
        for channel, axis in enumerate(axes[:, 0]):
            _channel_panel(axis, profile, channel)
        locator = AutoDateLocator(tz=UTC)
        axes[-1, 0].xaxis.set_major_locator(locator)
        axes[-1, 0].xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
        axes[-1, 0].set_xlabel("UTC")
        figure.suptitle(title, x=0.08, ha="left", fontsize=11)
        figure.tight_layout(rect=(0, 0, 1, 0.99))
        _save(figure, path)
        plt.close(figure)


def _channel_panel(axis: Any, profile: Profile, channel: int) -> None:
    """Steps of one channel; a gap where intervals are missing."""
    source = profile.sources[channel]
    unit, factor = source.unit, 1.0
    if source.counts and unit.endswith("h"):  # energy of an interval as its mean power
        unit, factor = unit[:-1], timedelta(hours=1) / profile.length
    runs: list[list[tuple[datetime, int]]] = []
    for end, value in profile.series(channel):
        if runs and end - runs[-1][-1][0] == profile.length:
            runs[-1].append((end, value))
        else:
            runs.append([(end, value)])
    for run in runs:
        edges = [run[0][0] - profile.length, *(end for end, _ in run)]
        values = [factor * value for _, value in run]
        axis.stairs(values, edges, baseline=0, fill=True, color=_USED, alpha=0.25, linewidth=0)
        axis.stairs(values, edges, baseline=None, color=_USED, linewidth=1.4)
    axis.grid(axis="y", color=_GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.set_title(source.name, loc="left", fontsize=9)
    axis.set_ylabel(unit)

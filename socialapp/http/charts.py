"""Bar charts for the admin site, drawn on the server as SVG: nothing runs in the browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 600, 140
LEFT, TOP, BOTTOM = 44, 10, 22  # room for the scale, the topmost label and the dates
_GAP = 0.2  # of a period, between two bars
_LABELS = {"day": "%H:%M", "month": "%-d %b", "year": "%-d %b %Y"}
_PERIODS = {"day": "hour", "month": "day", "year": "week"}
_SPIKE, _LEAST = 3, 10  # times the usual value, and at least this many


@dataclass(frozen=True, slots=True)
class Bar:
    """One period, in units of the drawing; `value` is its number."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One kind of event over time; `top` is the upper end of the scale, `usual` the mean of earlier periods."""

    name: str
    title: str
    period: str
    total: int
    top: int
    usual: float
    busiest: Bar
    bars: list[Bar]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    upper: int = TOP
    middle: float = (TOP + HEIGHT - BOTTOM) / 2
    base: int = HEIGHT - BOTTOM

    @property
    def is_spike(self) -> bool:
        """Whether the last period far exceeds the usual value, which is undefined before a few periods."""
        some = sum(1 for bar in self.bars[:-1] if bar.value)
        return some >= 3 and self.bars[-1].value >= max(_LEAST, _SPIKE * self.usual)


def draw(name: str, *, title: str, span: str, starts: Sequence[datetime], values: Sequence[int]) -> Chart:
    """The chart of the values in the periods that begin at `starts`."""
    top = rounded_up(max(values))
    slot = (WIDTH - LEFT) / len(values)
    bars = []
    for index, (start, value) in enumerate(zip(starts, values, strict=True)):
        height = round(value / top * (HEIGHT - TOP - BOTTOM), 1)
        bars.append(
            Bar(
                x=round(LEFT + (index + _GAP / 2) * slot, 1),
                y=round(HEIGHT - BOTTOM - height, 1),
                width=round(slot * (1 - _GAP), 1),
                height=height,
                label=start.strftime(_LABELS[span]),
                value=value,
            )
        )
    return Chart(
        name=name,
        title=title,
        period=_PERIODS[span],
        total=sum(values),
        top=top,
        usual=round(sum(values[:-1]) / max(1, len(values) - 1), 1),
        busiest=max(bars, key=lambda bar: bar.value),
        bars=bars,
    )


def rounded_up(value: int) -> int:
    """The next round number for the top of a scale, with an integer half: 2, 4, 6, … 16, 20, 40, …"""
    step = 1
    while True:
        for factor in (2, 4, 6, 8, 10, 12, 16):
            if value <= factor * step:
                return factor * step
        step *= 10

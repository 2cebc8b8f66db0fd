# SPDX-License-Identifier: Apache-2.0
"""Telemetry plots as SVG, drawn on the server."""

from collections.abc import Sequence
from datetime import datetime, timedelta

SHORT_SPAN = timedelta(minutes=20)


def draw_metric(name: str, points: Sequence[tuple[datetime, float]]) -> str:
    """Return an SVG line plot of a metric over time, in the metric's own unit; times are UTC."""
    import altair as alt  # noqa: PLC0415 - slow import, and only pages with plots need it
    import vl_convert  # noqa: PLC0415

    spans_hours = len(points) > 1 and points[-1][0] - points[0][0] > SHORT_SPAN
    values = [{"time": moment.isoformat(), "value": value} for moment, value in points]
    chart = (
        alt.Chart(
            alt.InlineData(values=values),
            title=alt.TitleParams(name.replace("_", " ")[:80], anchor="start", fontSize=12),
            width=640,
            height=130,
        )
        .mark_line(point=len(points) < 60, color="#1f5fbf")
        .encode(
            x=alt.X(
                "time:T",
                title="UTC",
                axis=alt.Axis(format="%H:%M" if spans_hours else "%H:%M:%S", tickCount=8),
                scale=alt.Scale(type="utc"),
            ),
            y=alt.Y("value:Q", title=None),
        )
    )
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))

# SPDX-License-Identifier: Apache-2.0
"""Telemetry plots as SVG, drawn on the server."""

from collections.abc import Sequence
from datetime import datetime


def draw_metric(name: str, points: Sequence[tuple[datetime, float]]) -> str:
    """Return an SVG line plot of a metric over time, in the metric's own unit."""
    import altair as alt  # noqa: PLC0415 - slow import, and only pages with plots need it
    import vl_convert  # noqa: PLC0415

    values = [{"time": moment.isoformat(), "value": value} for moment, value in points]
    chart = (
        alt.Chart(alt.InlineData(values=values), width=640, height=150)
        .mark_line(point=len(points) < 60, color="#1f5fbf")
        .encode(
            x=alt.X(
                "time:T",
                title="UTC",
                axis=alt.Axis(format="%H:%M"),
                scale=alt.Scale(type="utc"),
            ),
            y=alt.Y("value:Q", title=name.replace("_", " ")[:40]),
        )
    )
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))

# SPDX-License-Identifier: Apache-2.0
"""Plots of drift as SVG, drawn on the server: a series around the moment of its change."""

from collections.abc import Sequence
from datetime import datetime


def draw_change(
    name: str,
    points: Sequence[tuple[datetime, float]],
    *,
    since: datetime,
    earliest: datetime,
    latest: datetime,
) -> str:
    """Return an SVG line plot of hourly means; the change and its interval are marked; UTC."""
    import altair as alt  # noqa: PLC0415 - slow import, and only pages with plots need it
    import vl_convert  # noqa: PLC0415

    x_scale = alt.Scale(type="utc")
    axis = alt.Axis(format="%d %b %H:%M", tickCount=8)
    line = (
        alt.Chart(
            alt.InlineData(
                values=[{"time": moment.isoformat(), "value": value} for moment, value in points]
            )
        )
        .mark_line(point=len(points) < 60, color="#1f5fbf")
        .encode(
            x=alt.X("time:T", title="UTC", axis=axis, scale=x_scale),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
        )
    )
    span = (
        alt.Chart(alt.InlineData(values=[{"from": earliest.isoformat(), "to": latest.isoformat()}]))
        .mark_rect(color="#c0392b", opacity=0.18)
        .encode(x=alt.X("from:T", scale=x_scale), x2="to:T")
    )
    moment = (
        alt.Chart(alt.InlineData(values=[{"since": since.isoformat()}]))
        .mark_rule(color="#c0392b", strokeDash=[4, 3])
        .encode(x=alt.X("since:T", scale=x_scale))
    )
    chart = alt.layer(span, line, moment).properties(
        title=alt.TitleParams(name[:100], anchor="start", fontSize=12), width=640, height=150
    )
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))

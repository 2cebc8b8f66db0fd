# SPDX-License-Identifier: Apache-2.0
"""Renders the portal's templates.

Autoescaping is on; nothing is marked safe but our own CSRF field.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from api.accounts import Person
from api.class_view import name_choice
from guardrails.sanitise import plain_text
from reasoning.candidates import fill_metric

TEMPLATES = Path(__file__).with_name("templates")


class Pages:
    """The portal's pages."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_clean,
        )
        self._environment.filters.update(
            moment=format_moment,
            words=format_words,
            choice=name_choice,
            figure=format_figure,
            filled=fill_metric,
            first_large=enlarge_first,
        )

    def render(
        self, request: Request, template: str, *, status_code: int = 200, **values: Any
    ) -> HTMLResponse:
        """Return a rendered page for the request's person, if one is logged in."""
        person: Person | None = getattr(request.state, "person", None)
        text = self._environment.get_template(template).render(
            person=person,
            csrf=_csrf_field(person),
            here=request.url.path,
            notice=values.pop("notice", None),
            **values,
        )
        return HTMLResponse(text, status_code=status_code)


def pages_of(request: Request) -> Pages:
    """Return the portal's pages behind this application."""
    pages: Pages = request.app.state.pages
    return pages


def _csrf_field(person: Person | None) -> Callable[[], Markup]:
    def field() -> Markup:
        token = person.csrf_token if person else ""
        return Markup('<input type="hidden" name="csrf_token" value="{}">').format(token)

    return field


def _clean(value: Any) -> Any:
    """Strip control and bidirectional characters from whatever reaches a page."""
    return plain_text(value) if type(value) is str else value


def format_moment(moment: datetime | None) -> str:
    """Return a moment in UTC for people, "never" for none."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else "never"


def format_words(name: object) -> str:
    """Return an identifier as words."""
    return str(name).replace("_", " ").replace(":", " ")


def enlarge_first(text: str) -> str:
    """Return a sentence with its first letter large and all others as they are."""
    return text[:1].upper() + text[1:]


def format_figure(value: float) -> str:
    """Return a number with at most four significant digits, large ones with separators."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"

# SPDX-License-Identifier: Apache-2.0
"""Reads what people type into forms: texts, moments and hours, with a clear complaint."""

import asyncio
from datetime import UTC, datetime, timedelta

from fastapi import Request

from api.errors import InvalidRequestError
from api.sessions import Form, correlation_of, field, services_of
from guardrails.masking import Masker

MAX_TEXT_CHARACTERS = 2000


def read_moment(text: str, what: str) -> datetime | None:
    """Return a form's moment, UTC where it names no zone; None where the field is empty.

    Raises:
        InvalidRequestError: it is none.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(f"{what} is not a date and time") from error


def read_hours(text: str, what: str) -> timedelta | None:
    """Return a form's number of hours, above zero and below a year; None where it is empty.

    Raises:
        InvalidRequestError: it is none.
    """
    if not text:
        return None
    try:
        hours = float(text)
    except ValueError as error:
        raise InvalidRequestError(f"{what} is not a number of hours") from error
    if not 0 < hours < 8784:
        raise InvalidRequestError(f"{what} is not a number of hours between 0 and 8784")
    return timedelta(hours=hours)


async def read_text(form: Form, name: str, masker: Masker) -> str:
    """Return what a person wrote into a field, masked; bounded before the work of masking.

    Raises:
        InvalidRequestError: it is too long.
    """
    text = _read_bounded(form, name)
    return (await asyncio.to_thread(masker.mask, text)).text


async def read_case_text(
    request: Request, form: Form, name: str, *, incident_id: str, actor: str
) -> str:
    """Return what a person wrote about an incident, masked with the incident's pseudonyms.

    Raises:
        InvalidRequestError: it is too long.
    """
    return await services_of(request).ground.cases.mask_apart(
        incident_id,
        _read_bounded(form, name),
        actor=actor,
        correlation_id=correlation_of(request),
    )


def _read_bounded(form: Form, name: str) -> str:
    text = field(form, name)
    if len(text) > MAX_TEXT_CHARACTERS:
        what = name.replace("_", " ")
        raise InvalidRequestError(f"{what} is longer than {MAX_TEXT_CHARACTERS} characters")
    return text

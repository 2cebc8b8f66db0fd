# SPDX-License-Identifier: Apache-2.0
"""The search page: a ticket in, passages out with the reasons for each, and marks of what helped.

Everybody who may log in may search what their groups may read; who works on tickets may mark. What
is pasted is masked before anything else and stands masked in the address, so that a page can be
sent to a colleague, who sees what they may. An address that somebody else made is answered with the
masked one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Person, Role
from api.errors import InvalidRequestError, NotFoundError
from api.knowledge_ingestion import CURATORS, REVIEWERS
from api.pages import pages_of
from api.readable_documents import list_choices, list_documents
from api.readers import Groups, reader_groups
from api.search_explanation import (
    PartShare,
    Word,
    explain_hit,
    find_longest,
    group_passages,
    list_missing_signals,
    list_query_stems,
    list_shares,
    mark_words,
    name_signal,
    read_passage,
    seems_far,
)
from api.search_feedback import (
    SearchFeedback,
    bound_text,
    count_similar,
    list_readable,
    read_marks,
)
from api.search_flags import FLAG_WORDS, list_flags
from api.sessions import Form, correlation_of, field, require_form, require_person, services_of
from guardrails.sanitise import plain_text
from kernel.database import Connection
from retrieval.articles import PLATFORMS
from retrieval.dominance import record_search
from retrieval.embedding import Embedder
from retrieval.facets import SearchFilter
from retrieval.labels import Label, Origin, SearchLabel
from retrieval.parsing.markdown import read_heading
from retrieval.query import PSEUDONYM, understand_query
from retrieval.search import Passage
from retrieval.search_index import find_index
from retrieval.sources import MAX_LABEL_CHARACTERS, Trust

MAX_QUERY = 4_000
MAX_ADDRESS: Final = 6_000  # proxies take 8 KiB of a request's head; a longer ticket has none
N_PASSAGES = 12
N_LISTED = 500
MARKERS = (Role.HELPDESK, Role.APPROVER)
KINDS = ("article", "script")
FILTERS = ("platform", "kind", "product", "trust", "language")
TAKE_BACK = "none"
_HALF_PSEUDONYM = re.compile(r"<[A-Z_0-9]{0,24}\Z")
_LANGUAGE = re.compile("[a-z]{2,3}")  # ISO 639; "und" where it is not known
_UNDERLINE = re.compile(r"[=-]+[ \t]*(?:\n|\Z)")
router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person asks: a text, and filters that are empty or valid."""

    text: str
    platform: str = ""
    kind: str = ""
    product: str = ""
    trust: str = ""
    language: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the text is asked for."""
        return any(getattr(self, name) for name in FILTERS)

    def address(self) -> str:
        """Return the page's address for this question."""
        chosen = {name: getattr(self, name) for name in FILTERS if getattr(self, name)}
        return f"/knowledge?{urlencode({'q': self.text, **chosen})}"

    @property
    def has_address(self) -> bool:
        """Whether the page can be sent to somebody."""
        return len(self.address()) <= MAX_ADDRESS

    @property
    def back(self) -> str:
        """The address as a link inside another one has it; "" where that would be too long."""
        back = quote(self.address(), safe="")
        return back if len(back) <= MAX_ADDRESS else ""

    @property
    def unfiltered(self) -> "Question":
        """The same text, asked of everything."""
        return Question(text=self.text)

    def filter(self, groups: Groups) -> SearchFilter:
        """Return what a reader of these groups may find."""
        return SearchFilter(
            platform=self.platform or None,
            kind=self.kind or None,
            products=(self.product,) if self.product else (),
            languages=(self.language,) if self.language else (),
            trusts=(self.trust,) if self.trust else (),
            groups=groups,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPassage:
    """A passage with the words of the query that it has."""

    passage: Passage
    words: Sequence[Word]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownHit:
    """A document found: its best passage first, why, and what the person said of it."""

    best: ShownPassage
    others: Sequence[ShownPassage]
    reasons: Sequence[str]
    shares: Sequence[PartShare]
    flags: Sequence[str]
    mark: str


@router.get("/knowledge")
async def show_search(
    request: Request,
    q: str = "",
    platform: str = "",
    kind: str = "",
    product: str = "",
    trust: str = "",
    language: str = "",
) -> Response:
    """Search the knowledge, or list it where nothing is asked."""
    person = await require_person(request)
    question = _read_question(
        {"q": q, "platform": platform, "kind": kind, "product": product, "trust": trust,
         "language": language}
    )  # fmt: skip
    masked = await _mask(request, question)
    if masked != question and masked.has_address:
        return RedirectResponse(masked.address(), status_code=303)
    return await _show(request, person, masked)


@router.post("/knowledge/search")
async def search(request: Request) -> Response:
    """Search for what was pasted."""
    person, form = await require_form(request)
    return await _answer(request, person, await _mask(request, _read_form(form)))


def _read_form(form: Form) -> Question:
    return _read_question({name: field(form, name) for name in ("q", *FILTERS)})


async def _mask(request: Request, question: Question) -> Question:
    # What people paste names people; the embedder and its caches get to see none of it.
    services = services_of(request)
    feedback = SearchFeedback(services.ground, services.embedder)
    if question.product and await feedback.mask(question.product) != question.product:
        raise InvalidRequestError("product is one of the list")
    masked = await feedback.mask(question.text)
    # Cut after masking: half an address would not be seen for what it is, nor half a pseudonym.
    return replace(question, text=_HALF_PSEUDONYM.sub("", masked[:MAX_QUERY]).strip())


async def _answer(
    request: Request, person: Person, question: Question, *, anchor: str = ""
) -> Response:
    """Go to the page of a masked question; show it here where its address would be too long."""
    if not question.has_address:
        return await _show(request, person, question)
    return RedirectResponse(f"{question.address()}{anchor}", status_code=303)


async def _show(request: Request, person: Person, question: Question) -> Response:
    services = services_of(request)
    groups = reader_groups(person)
    masked = question.text
    values: dict[str, Any] = {
        "question": question,
        "is_masked": PSEUDONYM.search(masked) is not None,
        "filters": FILTERS,
        "may_see_sources": bool(person.roles & {*CURATORS, *REVIEWERS}),
    }
    async with services.ground.pool.connection() as connection:
        values["choices"] = await _list_choices(request, connection, groups)
        if not masked:
            documents, n_documents = await list_documents(connection, groups=groups, limit=N_LISTED)
            values |= {"documents": documents, "n_documents": n_documents}
            return pages_of(request).render(request, "knowledge.html", **values)
        passages = await services.retriever.search(
            connection, masked, only=question.filter(groups), limit=N_PASSAGES
        )
        await record_search(
            connection,
            [one.document_id for one in passages],
            services.ground.clock.now().date(),
        )
        near = [passage for passage in passages if not seems_far([passage])]
        hits = await _show_hits(connection, services.embedder, near or passages, masked, person)
    missing = list_missing_signals(understand_query(masked).signals, passages)
    return pages_of(request).render(
        request,
        "search.html",
        hits=hits,
        is_far=bool(passages) and not near,
        missing=[name_signal(signal) for signal in missing],
        can_mark=_can_mark(person),
        **values,
    )


def _can_mark(person: Person) -> bool:
    return bool(person.roles & {*MARKERS, Role.ADMIN})


def _read_question(given: dict[str, str]) -> Question:
    """Read a question from an address or a form.

    Raises:
        InvalidRequestError: it asks for a platform, kind or trust that there is not.
    """
    values = {name: plain_text(given.get(name, "")).strip() for name in FILTERS}
    if values["language"] and not _LANGUAGE.fullmatch(values["language"]):
        raise InvalidRequestError("language is a code of two or three letters")
    known = {"platform": PLATFORMS, "kind": KINDS, "trust": tuple(Trust)}
    for name, choices in known.items():
        if values[name] and values[name] not in choices:
            raise InvalidRequestError(f"{name} is one of {', '.join(sorted(choices))}")
    if any(len(value) > MAX_LABEL_CHARACTERS for value in values.values()):
        raise InvalidRequestError(f"a filter has at most {MAX_LABEL_CHARACTERS} characters")
    return Question(text=bound_text(plain_text(given.get("q", ""))).strip(), **values)


async def _list_choices(
    request: Request, connection: Connection, groups: Groups
) -> dict[str, list[str]]:
    """Return what can be filtered by; read anew when the corpus has changed."""
    index = await find_index(connection)
    version = (index.index_id, index.generation) if index else None
    kept: dict[Groups, tuple[Any, dict[str, list[str]]]] = request.app.state.__dict__.setdefault(
        "search_choices", {}
    )
    if groups in kept and kept[groups][0] == version:
        return kept[groups][1]
    choices = {
        "platform": sorted(PLATFORMS),
        "kind": list(KINDS),
        "trust": [trust.value for trust in Trust],
        **await list_choices(connection, groups=groups),
    }
    kept[groups] = (version, choices)
    return choices


async def _show_hits(
    connection: Connection,
    embedder: Embedder,
    passages: Sequence[Passage],
    masked: str,
    person: Person,
) -> list[ShownHit]:
    documents = group_passages(passages)
    marks = await read_marks(connection, list(documents), text=masked, actor=person.actor)
    voted = [document_id for document_id, found in documents.items() if found[0].votes > 0]
    similar = await count_similar(connection, embedder, masked, voted)
    flags = await list_flags(connection, list(documents), groups=reader_groups(person))
    stems = list_query_stems(understand_query(masked).text)
    longest = find_longest(passages)
    return [
        ShownHit(
            best=_show_passage(found[0], stems),
            others=[_show_passage(passage, stems) for passage in found[1:]],
            reasons=explain_hit(found[0], similar.get(document_id, 0)),
            shares=list_shares(found[0].parts, longest=longest),
            flags=[FLAG_WORDS[kind] for kind in flags.get(document_id, ())],
            mark=marks.get(document_id, ""),
        )
        for document_id, found in documents.items()
    ]


def _show_passage(passage: Passage, stems: frozenset[str]) -> ShownPassage:
    return ShownPassage(passage=passage, words=mark_words(_quote(passage), stems))


def _quote(passage: Passage) -> str:
    """Return a passage's text without the headings that stand above it already."""
    text = passage.text
    told = {"", passage.title, *passage.headings}
    while passage.kind == "article" and text:
        line, _, rest = text.partition("\n")
        below = _UNDERLINE.match(rest) if line.strip() else None
        is_heading = below or not line.strip() or line.lstrip().startswith("#")
        if not is_heading or read_heading(line) not in told:
            break
        rest = rest[below.end() :] if below else rest
        if not rest.strip():
            break
        text = rest
    return read_passage(replace(passage, text=text.lstrip("\n")))


@router.post("/knowledge/marks")
async def mark_hit(request: Request) -> Response:
    """Keep whether a document helped with the text that was searched for, or take it back."""
    person, form = await require_form(request)
    person.require(*MARKERS)
    question = await _mask(request, _read_form(form))
    word, document_id = field(form, "label"), field(form, "document_id")
    if word not in {*Label, TAKE_BACK}:
        raise InvalidRequestError("say whether it helped")
    services = services_of(request)
    feedback = SearchFeedback(services.ground, services.embedder)
    if not question.text:
        raise InvalidRequestError("the query is empty")
    said = {"text": question.text, "document_id": document_id, "actor": person.actor}
    async with services.ground.pool.connection() as connection:
        if word == TAKE_BACK:
            await feedback.withdraw(connection, **said, correlation_id=correlation_of(request))
        else:
            if not await list_readable(connection, {document_id}, groups=reader_groups(person)):
                raise NotFoundError("the document is no longer in force")
            label = SearchLabel(label=Label(word), origin=Origin.SEARCH, **said)
            await feedback.add(connection, [label], correlation_id=correlation_of(request))
    return await _answer(request, person, question, anchor=f"#hit-{quote(document_id)}")

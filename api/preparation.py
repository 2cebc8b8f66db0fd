# SPDX-License-Identifier: Apache-2.0
"""What an installation needs once: knowledge and first models; `eucora prepare`.

Each part does only what is missing or has changed, so it may run beside servers and workers. A
start leaves it out where nothing of it can have changed (`preparation_record`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli_ground import plain
from api.ground import Ground, open_embedder, open_registry
from api.model_promotion import Decision, ModelPromotions
from api.name_preparation import training_names
from api.policy_changes import PolicyChanges
from api.preparation_record import digest_sources, record_preparation
from api.progress_lines import telling_progress
from api.ranking_training import register_first_ranking
from api.script_catalogue import ScriptCatalogue
from guardrails.name_store import FOLDER_NAME as NAME_MODELS
from kernel.database import Connection
from models.errors import ModelArtifactError, PromotionRefusedError, UnknownModelError
from models.gate import Outcome
from models.promotion import Promotion, list_champions
from models.ranking_lifecycle import NAME as RANKING
from models.registry import ModelRegistry
from models.stages import FOLDER_NAME as TRAINING_FOLDER
from models.training import NAMES, Circumstances, train
from retrieval.articles import Article, read_articles
from retrieval.catalogue import list_scripts
from retrieval.corpus import Corpus, CorpusDocument, document_of_article, document_of_script
from retrieval.document_flags import list_refused, lock_decisions
from retrieval.embedding import Embedder
from retrieval.manifest import CatalogueEntry, read_entry
from retrieval.reindexing import Reindexer, needs_reindex
from retrieval.search_index import find_index
from retrieval.words import digest_text

SYSTEM = "system:bootstrap"
Report = Callable[[str, int, int], None]  # what is being stored, how many are done, and of how many


async def prepare(ground: Ground, console: Console) -> None:
    """Make the signing keys, load new knowledge, train the models that have no champion yet.

    The keys are made here and not at first use, so that auditors can have them from the start.

    Raises:
        NameModelError: the recogniser of names could not be trained.
    """
    sources = await asyncio.to_thread(digest_sources, ground.settings)
    async with training_names(ground.settings.data_dir / NAME_MODELS, console) as names:
        await _prepare_all_else(ground, console)
        await names.show_until_done(console)
    async with ground.pool.connection() as connection:
        await record_preparation(connection, sources, ground.clock)


async def _prepare_all_else(ground: Ground, console: Console) -> None:
    ground.key_store.evidence_key()
    ground.key_store.log_key()
    embedder = open_embedder(ground)
    opening = asyncio.create_task(embedder.load())  # the first time long: beside the scripts
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    notices: list[str] = []
    with Progress(*columns, console=console) as bar:
        tasks = {name: bar.add_task(name, total=None) for name in ("scripts", "passages")}
        async with telling_progress(console, lambda: _describe(bar)):
            n_articles, n_scripts = await load_knowledge(
                ground,
                embedder=embedder,
                progress=lambda name, done, total: bar.update(
                    tasks[name], completed=done, total=total
                ),
                tell=notices.append,
            )
    if notice := await PolicyChanges(ground).install_shipped():
        console.print(f"  {notice}")
    await opening
    for text in notices:
        console.print(f"  {plain(text)}", highlight=False, soft_wrap=True)
    if notice := await ensure_index(ground, embedder):
        console.print(f"  {notice}")
    console.print(f"  knowledge ready ({n_articles} articles and {n_scripts} scripts are new)")
    async with ground.pool.connection() as connection:
        promoted = await list_champions(connection)
    trained = await asyncio.to_thread(
        train_missing,
        ground,
        promoted=promoted,
        progress=lambda text: console.print(f"  training: {text}"),
    )
    await record_champions(ground)
    console.print(f"  models ready ({len(trained)} trained now)")


def _describe(bar: Progress) -> str:
    """Return how far each thing is that has begun, as a line of text."""
    return ", ".join(
        f"{task.description}: {task.completed:.0f} of {task.total:.0f}"
        for task in bar.tasks
        if task.total
    )


async def ensure_index(ground: Ground, embedder: Embedder) -> str | None:
    """Make the index that searches lack; return a notice where theirs was made otherwise.

    Making a large one anew because a program embeds slightly otherwise is a person's decision.
    """
    async with ground.pool.connection() as connection:
        wanted = await needs_reindex(connection, embedder)
        index = await find_index(connection)
    if not wanted:
        return None
    if index is not None and index.revision != embedder.revision:
        return (
            f"searches run on an index of {index.model} {index.revision}, and this program embeds"
            f" with {embedder.name} {embedder.revision}: eucora kb reindex makes a new one"
        )
    await Reindexer(ground.pool, embedder, ground.clock, ground.audit).build(
        actor=SYSTEM, correlation_id=ground.ids.new("cor")
    )
    return None


async def load_knowledge(
    ground: Ground,
    *,
    progress: Report,
    embedder: Embedder | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[int, int]:
    """Store the starter articles and scripts; return how many of each are new or changed.

    What a person took out of search stays out; scripts are in the catalogue all the same. Scripts
    that are not in force are not found. `tell` is called with what people should know.

    `progress` is called with what is being stored, how many are done and how many there are; the
    embedder is loaded only for what is new, if none is handed in.
    """
    folder = ground.settings.knowledge_dir
    articles = list(read_articles(folder / "articles"))
    entries = [
        read_entry(path)
        for path in sorted((folder / "scripts").iterdir())
        if (path / "manifest.yaml").is_file()
    ]
    correlation_id = ground.ids.new("cor")
    starters = await ScriptCatalogue(ground, embedder).import_starters(
        entries,
        actor=SYSTEM,
        correlation_id=correlation_id,
        progress=lambda done: progress("scripts", done, len(entries)),
    )
    n_scripts = starters.n_new
    for notice in starters.notices:
        tell(notice)
    embedder = embedder or open_embedder(ground)
    n_articles = await _store_documents(
        ground, embedder, articles, entries, correlation_id, progress
    )
    return n_articles, n_scripts


async def _store_documents(
    ground: Ground,
    embedder: Embedder,
    articles: Sequence[Article],
    entries: Sequence[CatalogueEntry],
    correlation_id: str,
    progress: Report,
) -> int:
    """Make articles and the scripts' descriptions searchable; return how many articles are new."""
    corpus = Corpus(clock=ground.clock, audit=ground.audit, embedder=embedder)
    terms = {"trust": "starter", "source": "starter"}
    async with ground.pool.connection() as connection:
        await lock_decisions(connection)
        in_force = {
            (one.manifest.id, one.manifest.version) for one in await list_scripts(connection)
        }
        entries = [one for one in entries if (one.manifest.id, one.manifest.version) in in_force]
        of_articles = await _list_wanted(
            connection, [document_of_article(one, **terms) for one in articles]
        )
        of_scripts = await _list_wanted(
            connection, [document_of_script(one, **terms) for one in entries]
        )
        total = len(of_articles) + len(of_scripts)
        n_articles = await corpus.store(
            connection,
            of_articles,
            actor=SYSTEM,
            correlation_id=correlation_id,
            progress=lambda done: progress("passages", done, total),
        )
        await corpus.store(
            connection,
            of_scripts,
            actor=SYSTEM,
            correlation_id=correlation_id,
            progress=lambda done: progress("passages", len(of_articles) + done, total),
        )
    return n_articles


async def _list_wanted(
    connection: Connection, documents: Sequence[CorpusDocument]
) -> list[CorpusDocument]:
    """Return the documents that nobody took out of search."""
    contents = {document.document_id: digest_text(document.body) for document in documents}
    refused = await list_refused(connection, contents)
    return [document for document in documents if document.document_id not in refused]


def train_missing(
    ground: Ground,
    *,
    promoted: Mapping[str, Promotion],
    names: Sequence[str] = NAMES,
    progress: Callable[[str], None],
) -> list[str]:
    """Train the models that have no champion yet; blocking. Return their names.

    Args:
        ground: where the registry is.
        promoted: the newest promotion of each model; MLflow's alias is asked of others alone.
        names: of the models.
        progress: told what is being done, in words.

    Raises:
        PromotionRefusedError: a first version is worse than the bars for one.
        ModelArtifactError: what was promoted is not what lies there, or nothing is.
        RegistryError: MLflow did not answer.
    """
    registry = open_registry(ground)
    circumstances = Circumstances(
        seed=0,
        trained_by=SYSTEM,
        trained_at=ground.clock.now(),
        progress=progress,
        area=ground.settings.data_dir / TRAINING_FOLDER,
    )
    trained = []
    for name in names:
        if _has_champion(registry, name, promoted.get(name)):
            continue
        found = train(
            name,
            registry=registry,
            knowledge_dir=ground.settings.knowledge_dir,
            circumstances=circumstances,
        )
        verdict = found.comparison.verdict
        if verdict.outcome is Outcome.FAIL:
            raise PromotionRefusedError(
                f"the first {name} model is not fit for use: {verdict.explain(Outcome.FAIL)}"
            )
        trained.append(name)
    if not _has_champion(registry, RANKING, promoted.get(RANKING)):
        register_first_ranking(registry)
    return trained


def _has_champion(registry: ModelRegistry, name: str, in_use: Promotion | None) -> bool:
    """Tell whether a model has a champion; its file is read, so that a lost one is told at once.

    Raises:
        ModelArtifactError: it is not what was promoted, or MLflow does not know it.
    """
    try:
        if in_use is None:
            registry.load(name)
        else:
            registry.load_version(name, in_use.version, digest=in_use.digest)
    except UnknownModelError as error:
        if in_use is None:
            return False
        raise ModelArtifactError(
            f"{name} version {in_use.version} is the champion (promotion {in_use.promotion_id}),"
            " and MLflow does not know it; restore MLflow's database, or train and promote another"
            " version"
        ) from error
    return True


async def record_champions(ground: Ground) -> None:
    """Record the first versions as what they are: in use, on the evidence of their training."""
    promotions = ModelPromotions(ground)
    for name in (*NAMES, RANKING):
        await promotions.record_first(
            name, Decision(actor=SYSTEM, reason="", correlation_id=ground.ids.new("cor"))
        )

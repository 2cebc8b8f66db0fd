# SPDX-License-Identifier: Apache-2.0
"""What stands in one MLflow run: figures, the model's folder, the evaluation's files, its end.

MLflow is imported on first use: it is slow.
"""

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from models.model_file import FILE_NAME

EVALUATION = "evaluation"
CARD_FILE = "model-card.md"  # among the files of an evaluation
TRAINING_TAG = "eucora.training_id"
PAGE_SIZE = 200  # entries that one search of MLflow's returns


def import_mlflow() -> Any:
    """Import MLflow without its telemetry and its migration chatter."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow  # noqa: PLC0415 - slow import
    import mlflow.sklearn  # noqa: PLC0415

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)

    return mlflow


@contextmanager
def ending_run(client: Any, run_id: str) -> Iterator[None]:
    """End a run as finished, or as failed where something went wrong."""
    try:
        yield
    except BaseException:
        with suppress(Exception):  # what went wrong matters more than that it cannot be noted
            client.set_terminated(run_id, status="FAILED")
        raise
    client.set_terminated(run_id)


def log_figures(
    client: Any, run_id: str, *, metrics: Mapping[str, float], params: Mapping[str, Any]
) -> None:
    """Log what the training reached and how, at once: a hundred single figures take seconds."""
    from mlflow.entities import Metric, Param  # noqa: PLC0415 - slow import

    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[Metric(key, float(value), now, 0) for key, value in metrics.items()],
        params=[Param(key, str(value)) for key, value in params.items()],
    )


def log_files(
    client: Any,
    run_id: str,
    model: Any,
    content: bytes,
    evaluation: Mapping[str, bytes],
    example: Any,
) -> None:
    """Log MLflow's model folder, with our own bytes of the model, and the evaluation's files."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model"
        _save(import_mlflow(), model, target, example)
        (target / FILE_NAME).write_bytes(content)
        client.log_artifacts(run_id, str(target), "model")
        beside = Path(folder) / EVALUATION
        beside.mkdir()
        for name, written in evaluation.items():
            (beside / name).write_bytes(written)
        client.log_artifacts(run_id, str(beside), EVALUATION)


def resume_training(client: Any, experiment: str, name: str, training_id: str) -> Any | None:
    """Return the version that a killed training registered; end the runs that it left open."""
    for found in list_pages(client.search_model_versions, f"name = '{name}'"):
        if found.tags.get(TRAINING_TAG) == training_id:
            return found
    running = f"tags.`{TRAINING_TAG}` = '{training_id}' and attributes.status = 'RUNNING'"
    for run in list(list_pages(partial(client.search_runs, [experiment]), running)):
        client.set_terminated(run.info.run_id, status="KILLED")
    return None


def list_pages(search: Callable[..., Any], filter_string: str | None) -> Iterator[Any]:
    """Yield all that one of MLflow's searches finds, page after page."""
    token = None
    while True:
        page = search(filter_string=filter_string, max_results=PAGE_SIZE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _save(mlflow: Any, model: Any, target: Path, example: Any) -> None:
    """Write MLflow's folder format; stated requirements spare 9 s of guessing."""
    signature = None
    if example is not None:
        signature = mlflow.models.infer_signature(example, model.predict_proba(example))
    mlflow.sklearn.save_model(
        model,
        str(target),
        serialization_format="skops",
        signature=signature,
        pip_requirements=[
            f"{name}=={version(name)}" for name in ("numpy", "scikit-learn", "scipy", "skops")
        ],
    )

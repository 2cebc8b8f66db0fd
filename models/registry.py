# SPDX-License-Identifier: Apache-2.0
"""Models in MLflow: logged as skops files, registered, loaded by alias.

Never a pickle: a skops file holds numbers and the names of types, and only scikit-learn's own
types are trusted here, whatever the file claims. Model version tags carry the digest of the
file, which is checked again before it is read. MLflow is imported on first use: it is slow.
"""

import logging
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from contracts.canonical import sha256_hex
from models.errors import ModelArtifactError, RegistryError, UnknownModelError

CHAMPION = "champion"
CHALLENGER = "challenger"
_UNKNOWN = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})
_MODEL_FILE = "model.skops"
_DIGEST_TAG = "eucora.sha256"
_DATA_TAG = "eucora.training_data_sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A fitted estimator with what an inference record needs; digest of its file, SHA-256."""

    model: Any
    name: str
    version: str
    digest: str

    @property
    def named(self) -> dict[str, str]:
        """Name, version and digest, as records and evidence state them."""
        return {"name": self.name, "version": self.version, "digest": self.digest}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """A registered version as the registry lists it; `digest` of its file, SHA-256 (hex)."""

    name: str
    version: str
    aliases: tuple[str, ...]
    digest: str
    metrics: Mapping[str, float]
    created_at: datetime


class ModelRegistry:
    """Logs and loads models. Blocking: call it from a thread in async code.

    Args:
        tracking_uri: MLflow's database, as `postgresql+psycopg://...` or `sqlite:///...`.
        artifacts_dir: where model files go, one folder an experiment.

    """

    def __init__(self, tracking_uri: str, artifacts_dir: Path) -> None:
        self._tracking_uri = tracking_uri
        self._artifacts_dir = artifacts_dir.resolve()

    def log_and_register(
        self,
        name: str,
        model: Any,
        *,
        metrics: Mapping[str, float],
        params: Mapping[str, Any],
        digest_of_data: str,
        alias: str | None = None,
    ) -> LoadedModel:
        """Log a fitted estimator as a run of experiment `eucora-<name>` and register it.

        Args:
            name: the registered model's name.
            model: a scikit-learn estimator.
            metrics: figures of its evaluation.
            params: how it was trained.
            digest_of_data: SHA-256 of its training data.
            alias: given to the new version of a model that has a champion; the first version
                becomes the champion, later ones only by a person's decision.

        """
        client = self._client()
        experiment = self._find_experiment(client, name)
        run = client.create_run(experiment, tags={_DATA_TAG: digest_of_data})
        digest = _log_run(client, run.info.run_id, model, metrics=metrics, params=params)
        number = self._register(
            client,
            name,
            run,
            tags={_DIGEST_TAG: digest, _DATA_TAG: digest_of_data},
            alias=alias,
        )
        return LoadedModel(model=model, name=name, version=number, digest=digest)

    def load(self, name: str, alias: str = CHAMPION) -> LoadedModel:
        """Load the version that carries an alias.

        Raises:
            UnknownModelError: no such model or alias.
            RegistryError: MLflow did not answer.
            ModelArtifactError: the file is missing, was changed, or holds untrusted types.

        """
        with self._asking(f"no model {name!r} with alias {alias!r}") as client:
            found = client.get_model_version_by_alias(name, alias)
        return self._read(found)

    def list_versions(
        self, name: str | None = None, *, aliased: bool = False
    ) -> list[ModelVersion]:
        """Return the registered versions, by name, the newest first.

        Args:
            name: of one model, or None for all.
            aliased: only those that carry an alias; each version costs a query.

        Raises:
            RegistryError: MLflow did not answer.

        """
        versions = []
        with self._asking("no models are registered") as client:
            models = {model.name: model.aliases for model in client.search_registered_models()}
            for item in client.search_model_versions(max_results=1000):
                aliases = models.get(item.name, {})
                carried = sorted(key for key, at in aliases.items() if str(at) == str(item.version))
                if name in (None, item.name) and (carried or not aliased):
                    versions.append(_describe(client, item, carried))
        return sorted(versions, key=lambda item: (item.name, -int(item.version)))

    def promote(self, name: str, version_number: str) -> None:
        """Make a version the champion (who may, and with what evidence, is decided elsewhere).

        Its file is read first: one that cannot be loaded never becomes the champion.

        Raises:
            UnknownModelError: no such version.
            RegistryError: MLflow did not answer.
            ModelArtifactError: its file is missing, was changed, or holds untrusted types.

        """
        with self._asking(f"no model {name!r} with version {version_number!r}") as client:
            self._read(client.get_model_version(name, version_number))
            client.set_registered_model_alias(name, CHAMPION, version_number)
            challenger = client.get_registered_model(name).aliases.get(CHALLENGER)
            if challenger is not None and str(challenger) == version_number:
                client.delete_registered_model_alias(name, CHALLENGER)

    def _read(self, found: Any) -> LoadedModel:
        """Return a registered version with its estimator, digest checked."""
        mlflow = _import_mlflow()
        try:
            folder = mlflow.artifacts.download_artifacts(
                artifact_uri=found.source, tracking_uri=self._tracking_uri
            )
            content = (Path(folder) / _MODEL_FILE).read_bytes()
        except (OSError, mlflow.MlflowException) as error:
            raise ModelArtifactError(_complain(found, "is missing")) from error
        digest = sha256_hex(content)
        if digest != found.tags.get(_DIGEST_TAG):
            raise ModelArtifactError(_complain(found, "was changed"))
        return LoadedModel(
            model=_read_model(content), name=found.name, version=str(found.version), digest=digest
        )

    @contextmanager
    def _asking(self, unknown: str) -> Iterator[Any]:
        """Yield a client; `unknown` is what we say where MLflow does not know what it is asked.

        Raises:
            UnknownModelError: with that text.
            RegistryError: MLflow did not answer.

        """
        mlflow = _import_mlflow()
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - slow import, MLflow's own

        try:
            yield self._client()
        except SQLAlchemyError as error:
            raise RegistryError("MLflow's database did not answer") from error
        except mlflow.MlflowException as error:
            if error.error_code in _UNKNOWN:
                raise UnknownModelError(unknown) from error
            raise RegistryError(f"MLflow did not answer ({error.error_code})") from error

    def _client(self) -> Any:
        from mlflow import MlflowClient  # noqa: PLC0415 - slow import

        return MlflowClient(tracking_uri=self._tracking_uri, registry_uri=self._tracking_uri)

    def _find_experiment(self, client: Any, name: str) -> str:
        label = f"eucora-{name}"
        known = client.get_experiment_by_name(label)
        if known is not None:
            return str(known.experiment_id)
        folder = self._artifacts_dir / name
        folder.mkdir(parents=True, exist_ok=True)
        return str(client.create_experiment(label, artifact_location=folder.as_uri()))

    def _register(
        self,
        client: Any,
        name: str,
        run: Any,
        *,
        tags: Mapping[str, str],
        alias: str | None,
    ) -> str:
        mlflow = _import_mlflow()
        try:
            registered = client.get_registered_model(name)
        except mlflow.MlflowException:
            registered = client.create_registered_model(name)
        created = client.create_model_version(
            name,
            source=f"{run.info.artifact_uri}/model",
            run_id=run.info.run_id,
            tags=dict(tags),
        )
        number = str(created.version)
        if CHAMPION not in registered.aliases:
            client.set_registered_model_alias(name, CHAMPION, number)
        elif alias:
            client.set_registered_model_alias(name, alias, number)
        return number


def _log_run(
    client: Any,
    run_id: str,
    model: Any,
    *,
    metrics: Mapping[str, float],
    params: Mapping[str, Any],
) -> str:
    """Log a run to its end; return the SHA-256 (hex) of the model's file."""
    mlflow = _import_mlflow()
    try:
        for key, value in metrics.items():
            client.log_metric(run_id, key, float(value))
        for key, value in params.items():
            client.log_param(run_id, key, value)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "model"
            _save(mlflow, model, target)
            digest = sha256_hex((target / _MODEL_FILE).read_bytes())
            client.log_artifacts(run_id, str(target), "model")
    except BaseException:
        client.set_terminated(run_id, status="FAILED")
        raise
    client.set_terminated(run_id)
    return digest


def _describe(client: Any, found: Any, aliases: Sequence[str]) -> ModelVersion:
    run = client.get_run(found.run_id)
    return ModelVersion(
        name=found.name,
        version=str(found.version),
        aliases=tuple(aliases),
        digest=str(found.tags.get(_DIGEST_TAG, "")),
        metrics=dict(sorted(run.data.metrics.items())),
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
    )


def _complain(found: Any, what: str) -> str:
    return (
        f"the file of model {found.name!r} version {found.version} {what} ({found.source});"
        " restore it, or train and promote another version"
    )


def _import_mlflow() -> Any:
    """Import MLflow without its telemetry and its migration chatter."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow  # noqa: PLC0415 - slow import
    import mlflow.sklearn  # noqa: PLC0415

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)

    return mlflow


def _save(mlflow: Any, model: Any, target: Path) -> None:
    """Write MLflow's folder format; stated requirements spare 9 s of guessing."""
    mlflow.sklearn.save_model(
        model,
        str(target),
        serialization_format="skops",
        pip_requirements=[f"{name}=={version(name)}" for name in ("scikit-learn", "skops")],
    )


def _read_model(content: bytes) -> Any:
    from models.skops_runtime import (  # noqa: PLC0415 - slow import
        UntrustedTypesFoundException,
        loads,
    )

    try:
        return loads(content, trusted=[])
    except UntrustedTypesFoundException as error:
        message = "the model file names types that are not trusted"
        raise ModelArtifactError(message) from error
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        message = "the model file is not a skops archive"
        raise ModelArtifactError(message) from error

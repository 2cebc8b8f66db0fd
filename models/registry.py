# SPDX-License-Identifier: Apache-2.0
"""Models in MLflow: logged as skops files, registered, loaded by alias or by number.

Model version tags carry the digests of the file and of its evaluation, which are checked again
before they are read (what may stand in the file, `models.model_file` says). MLflow is imported on
first use: it is slow.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from contracts.canonical import sha256_hex
from models.errors import ModelArtifactError, RegistryError, UnknownModelError
from models.mlflow_runs import (
    EVALUATION,
    TRAINING_TAG,
    ending_run,
    import_mlflow,
    list_pages,
    log_figures,
    log_files,
    resume_training,
)
from models.model_file import FILE_NAME, read_model, write_model
from models.registered_files import (
    DIGEST_TAG,
    EVALUATION_TAG,
    RegisteredFile,
    find_by_alias,
    find_by_number,
    find_evaluation,
    list_rows,
)
from models.registered_versions import (
    DATA_TAG,
    ModelVersion,
    describe_found,
    describe_row,
    place_in_list,
)
from models.training_record import TrainingRecord

CHAMPION = "champion"
CHALLENGER = "challenger"
_UNKNOWN = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})


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
        evaluation: Mapping[str, bytes] | None = None,
        example: Any = None,
        training_id: str | None = None,
        may_be_first: bool = True,
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
            evaluation: files by name, logged below `evaluation/`.
            example: a few rows of what the model takes; its signature is inferred from them.
            training_id: of a training that may have been killed here before: what it registered
                is returned, what it left unfinished is marked as killed.
            may_be_first: whether it becomes the champion where there is none.

        Raises:
            RegistryError: MLflow did not answer, or its files could not be written.
        """
        training = {TRAINING_TAG: training_id} if training_id else {}
        with self._asking(f"no model {name!r}") as client:
            experiment = self._find_experiment(client, name)
            if training_id and (found := resume_training(client, experiment, name, training_id)):
                number = str(found.version)
                self._give_alias(client, name, number, alias, may_be_first=may_be_first)
                digest = str(found.tags.get(DIGEST_TAG, ""))
                return LoadedModel(model=model, name=name, version=number, digest=digest)
            content, files = write_model(model), evaluation or {}
            digest = sha256_hex(content)
            tags = {DATA_TAG: digest_of_data, **training}
            run = client.create_run(experiment, tags=tags)
            with ending_run(client, run.info.run_id):
                log_figures(client, run.info.run_id, metrics=metrics, params=params)
                log_files(client, run.info.run_id, model, content, files, example)
            tags |= {DIGEST_TAG: digest, EVALUATION_TAG: _digest_files(files)}
            number = self._register(client, name, run, tags=tags)
            self._give_alias(client, name, number, alias, may_be_first=may_be_first)
        return LoadedModel(model=model, name=name, version=number, digest=digest)

    def open_training(self, name: str, key: str) -> TrainingRecord:
        """Return the record of a training's finished stages, begun where there is none yet.

        Args:
            name: of the model.
            key: of its data, seed, parameters and code, hexadecimal.

        Raises:
            RegistryError: MLflow did not answer.
        """
        asking = partial(self._asking, f"no experiment of {name!r}")
        with asking() as client:
            experiment = self._find_experiment(client, name)
        return TrainingRecord(asking, experiment, key)

    def load(self, name: str, alias: str = CHAMPION) -> LoadedModel:
        """Load the version that carries an alias.

        Raises:
            UnknownModelError: no such model or alias.
            RegistryError: MLflow did not answer.
            ModelArtifactError: the file is missing, was changed, or holds untrusted types.

        """
        if (registered := find_by_alias(self._tracking_uri, name, alias)) is not None:
            return _read_file(registered, registered.folder)
        with self._asking(f"no model {name!r} with alias {alias!r}") as client:
            found = client.get_model_version_by_alias(name, alias)
        return self._read(found)

    def load_version(
        self, name: str, version_number: str, *, digest: str | None = None
    ) -> LoadedModel:
        """Load a version by its number.

        Args:
            name: of the model.
            version_number: of the version.
            digest: of its file, as whoever names it knows it, SHA-256 (hex); MLflow's own record
                is not trusted beyond it.

        Raises:
            UnknownModelError: no such version.
            RegistryError: MLflow did not answer.
            ModelArtifactError: the file is missing, was changed, or holds untrusted types.
        """
        registered = find_by_number(self._tracking_uri, name, version_number)
        if registered is not None:
            loaded = _read_file(registered, registered.folder)
        else:
            with self._asking(f"no model {name!r} with version {version_number!r}") as client:
                registered = client.get_model_version(name, version_number)
            loaded = self._read(registered)
        if digest is not None and loaded.digest != digest:
            raise ModelArtifactError(_complain(registered, "was changed"))
        return loaded

    def read_evaluation(self, name: str, version_number: str, file_name: str) -> bytes | None:
        """Return a file of a version's evaluation; None where it has none of this name.

        Raises:
            UnknownModelError: no such version.
            RegistryError: MLflow did not answer.
            ModelArtifactError: the file is not the one that was logged.
        """
        if (training := find_evaluation(self._tracking_uri, name, version_number)) is not None:
            try:
                content = (training.folder / EVALUATION / file_name).read_bytes()
            except OSError:
                return None
            return _check_evaluation(training, training.digests, file_name, content)
        with self._asking(f"no model {name!r} with version {version_number!r}") as client:
            found = client.get_model_version(name, version_number)
            run = client.get_run(found.run_id)
        mlflow = import_mlflow()
        try:
            path = mlflow.artifacts.download_artifacts(
                artifact_uri=f"{run.info.artifact_uri}/{EVALUATION}/{file_name}",
                tracking_uri=self._tracking_uri,
            )
            content = Path(path).read_bytes()
        except (OSError, mlflow.MlflowException):
            return None
        return _check_evaluation(found, found.tags.get(EVALUATION_TAG, "{}"), file_name, content)

    def list_versions(
        self, name: str | None = None, *, aliased: bool = False
    ) -> list[ModelVersion]:
        """Return the registered versions, by name, the newest first.

        Args:
            name: of one model, or None for all.
            aliased: only those that carry an alias; of MLflow each costs a query.

        Raises:
            RegistryError: MLflow did not answer.

        """
        if name is not None and not _is_plain(name):
            return []
        if rows := list_rows(self._tracking_uri, name):
            listed = [describe_row(row) for row in rows if row["aliases"] or not aliased]
            return sorted(listed, key=place_in_list)
        versions, chosen = [], None if name is None else f"name = '{name}'"
        with self._asking("no models are registered") as client:
            found = list_pages(client.search_registered_models, chosen)
            models = {model.name: model.aliases for model in found}
            for item in list_pages(client.search_model_versions, chosen):
                aliases = models.get(item.name, {})
                carried = sorted(key for key, at in aliases.items() if str(at) == str(item.version))
                if carried or not aliased:
                    versions.append(describe_found(client, item, carried))
        return sorted(versions, key=place_in_list)

    def mirror_champion(self, name: str, version_number: str) -> bool:
        """Let the alias follow what PostgreSQL says is the champion; return whether it moved.

        Raises:
            UnknownModelError: no such version.
            RegistryError: MLflow did not answer.
        """
        with self._asking(f"no model {name!r} with version {version_number!r}") as client:
            aliases = client.get_registered_model(name).aliases
            if str(aliases.get(CHAMPION)) == version_number:
                return False
            self._crown(client, name, version_number)
            return True

    def _crown(self, client: Any, name: str, version_number: str) -> None:
        client.set_registered_model_alias(name, CHAMPION, version_number)
        challenger = client.get_registered_model(name).aliases.get(CHALLENGER)
        if challenger is not None and str(challenger) == version_number:
            client.delete_registered_model_alias(name, CHALLENGER)

    def _read(self, found: Any) -> LoadedModel:
        """Return a registered version with its estimator, digest checked."""
        mlflow = import_mlflow()
        try:
            folder = mlflow.artifacts.download_artifacts(
                artifact_uri=found.source, tracking_uri=self._tracking_uri
            )
        except (OSError, mlflow.MlflowException) as error:
            raise ModelArtifactError(_complain(found, "is missing")) from error
        registered = RegisteredFile(
            name=found.name,
            version=str(found.version),
            source=found.source,
            digest=found.tags.get(DIGEST_TAG, ""),
        )
        return _read_file(registered, Path(folder))

    @contextmanager
    def _asking(self, unknown: str) -> Iterator[Any]:
        """Yield a client; `unknown` is what we say where MLflow does not know what it is asked.

        Raises:
            UnknownModelError: with that text.
            RegistryError: MLflow did not answer, or its files could not be written.

        """
        mlflow = import_mlflow()
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - slow import, MLflow's own

        try:
            yield self._client()
        except SQLAlchemyError as error:
            raise RegistryError("MLflow's database did not answer") from error
        except mlflow.MlflowException as error:
            if error.error_code in _UNKNOWN:
                raise UnknownModelError(unknown) from error
            raise RegistryError(f"MLflow did not answer ({error.error_code})") from error
        except OSError as error:
            raise RegistryError(
                f"MLflow's files cannot be written: {error.strerror or error}; make room or give"
                " rights, and run the same command again"
            ) from error

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

    def _register(self, client: Any, name: str, run: Any, *, tags: Mapping[str, str]) -> str:
        try:
            client.get_registered_model(name)
        except import_mlflow().MlflowException:
            client.create_registered_model(name)
        created = client.create_model_version(
            name,
            source=f"{run.info.artifact_uri}/model",
            run_id=run.info.run_id,
            tags=dict(tags),
        )
        return str(created.version)

    def _give_alias(
        self, client: Any, name: str, number: str, alias: str | None, *, may_be_first: bool
    ) -> None:
        aliases = client.get_registered_model(name).aliases
        if CHAMPION not in aliases and may_be_first:
            client.set_registered_model_alias(name, CHAMPION, number)
        elif alias and str(aliases.get(CHAMPION)) != number:
            client.set_registered_model_alias(name, alias, number)


def _read_file(registered: RegisteredFile, folder: Path) -> LoadedModel:
    """Return the estimator in a registered version's folder, digest checked."""
    try:
        content = (folder / FILE_NAME).read_bytes()
    except OSError as error:
        raise ModelArtifactError(_complain(registered, "is missing")) from error
    digest = sha256_hex(content)
    if digest != registered.digest:
        raise ModelArtifactError(_complain(registered, "was changed"))
    return LoadedModel(
        model=read_model(content), name=registered.name, version=registered.version, digest=digest
    )


def _is_plain(name: str) -> bool:
    """Tell whether a name may stand in MLflow's filters; all that are registered here may."""
    return name.replace("-", "").replace("_", "").isalnum()


def _check_evaluation(found: Any, logged: str, file_name: str, content: bytes) -> bytes:
    """Return a file of an evaluation if it is the one that was logged: the gate goes by it."""
    if json.loads(logged).get(file_name) != sha256_hex(content):
        what = f"has an evaluation file {file_name} that was changed"
        raise ModelArtifactError(_complain(found, what))
    return content


def _digest_files(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 (hex) of each file by name, as JSON."""
    return json.dumps({name: sha256_hex(content) for name, content in sorted(files.items())})


def _complain(found: Any, what: str) -> str:
    return (
        f"the file of model {found.name!r} version {found.version} {what} ({found.source});"
        " restore it, or train and promote another version"
    )

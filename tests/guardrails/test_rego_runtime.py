# SPDX-License-Identifier: Apache-2.0
"""regopy and torch in one process: the wrong order of loading aborts it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USE_BOTH = (
    "from guardrails.policy import PolicyEngine; assert not PolicyEngine().decide({}).allow; "
    "import torch; assert float(torch.ones(2).sum()) == 2; "
    "assert not PolicyEngine().decide({}).allow"
)


@pytest.mark.parametrize(
    "first", ["guardrails.policy", "torch", "guardrails.presidio_runtime", "models.skops_runtime"]
)
def test_any_order_of_our_imports_works(first):
    done = subprocess.run(
        [sys.executable, "-c", f"import {first}; {USE_BOTH}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_nobody_else_loads_regopy():
    packages = [path.parent for path in ROOT.glob("*/__init__.py")]
    found = set()
    for package in packages:
        for path in package.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                if any(name.split(".")[0] == "regopy" for name in names):
                    found.add(path.relative_to(ROOT).as_posix())
    assert found == {"guardrails/rego_runtime.py"}

# SPDX-License-Identifier: Apache-2.0
"""The data scientists' notebooks: committed without outputs, and each runs to a promoted model.

They run on small fleets, in kernels of their own, as Jupyter would run them.
"""

import json
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from nbmake.nb_run import NotebookRun

from notebooks.scratch import QUICK, SIZE_VARIABLE, list_servers
from tests.stack.prepared import ROOT

FOLDER = ROOT / "notebooks"
NOTEBOOKS = {
    "explore_telemetry": "health",
    "retrain_and_compare_a_classifier": "health",
    "study_overrides_and_calibration": "recommender",
    "tune_the_alarm_budget": "health",
}
TIMEOUT_SECONDS = 170  # of one cell
PROMOTED = re.compile(
    r"^(?P<model>\w+) version (?P<version>\d+) is in use by the decision of (?P<person>cli:\w+);"
    r" its evidence [0-9a-f]{16} holds: (?P<holds>\w+)$",
    re.MULTILINE,
)


def list_notebooks() -> list[Path]:
    return sorted(FOLDER.glob("*.ipynb"))


def test_every_notebook_is_run_here():
    assert [path.stem for path in list_notebooks()] == sorted(NOTEBOOKS)


@pytest.mark.parametrize("path", list_notebooks(), ids=lambda path: path.stem)
def test_a_notebook_is_committed_clean(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    first = document["cells"][0]
    assert first["cell_type"] == "markdown"
    text = "".join(first["source"])
    assert text.startswith("<!-- SPDX-License-Identifier: Apache-2.0 -->\n# ")
    assert "make notebook" in text
    assert set(document["metadata"]) == {"kernelspec", "language_info"}
    for cell in document["cells"]:
        assert cell["metadata"] == {}, cell["id"]
        if cell["cell_type"] == "code":
            clear = f"jupyter nbconvert --clear-output --inplace notebooks/{path.name}"
            assert cell["outputs"] == [], clear
            assert cell["execution_count"] is None, clear


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_ends_in_a_promoted_challenger(name, monkeypatch, tmp_path):
    scratch_folder = Path(tempfile.mkdtemp(prefix="eucora-nb-"))  # a socket's path must be short
    scratch_folder.chmod(0o711)  # the database's own user passes through
    copied = shutil.copy(FOLDER / f"{name}.ipynb", tmp_path)
    monkeypatch.setenv(SIZE_VARIABLE, QUICK)
    monkeypatch.setenv("TMPDIR", str(scratch_folder))
    # A real installation's address in the environment is left alone: here it leads nowhere.
    monkeypatch.setenv("EUCORA_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    monkeypatch.setenv("EUCORA_DATA_DIR", str(tmp_path / "installation"))
    try:
        run = NotebookRun(Path(copied), TIMEOUT_SECONDS).execute()
        assert run.error is None, run.error.trace
        printed = "".join(
            output.get("text", "") for cell in run.nb.cells for output in cell.get("outputs", [])
        )
        promoted = PROMOTED.search(printed)
        assert promoted, printed[-2000:]
        assert promoted["model"] == NOTEBOOKS[name]
        assert int(promoted["version"]) > 1
        assert promoted["holds"] == "True"
        assert list(list_servers(scratch_folder)) == []
        assert list(scratch_folder.glob("eucora-notebook-*")) == []
        assert not (tmp_path / "installation").exists()
        assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.ipynb"]
    finally:
        shutil.rmtree(scratch_folder)

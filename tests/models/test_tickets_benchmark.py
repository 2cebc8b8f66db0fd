# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.tickets` on small generated files, good and bad."""

import json

import pandas as pd
import pytest

from benchmarks.tickets import main
from tests.models.test_tickets import write_tickets


def store(path, texts, labels, names=("text", "label")):
    pd.DataFrame(dict(zip(names, (texts, labels), strict=True))).to_parquet(path)
    return str(path)


@pytest.fixture
def files(tmp_path):
    return [store(tmp_path / f"{seed}.parquet", *write_tickets(90, seed)) for seed in (11, 12, 13)]


def test_ours_and_the_baseline_side_by_side(files, tmp_path, capsys):
    target = tmp_path / "out.json"
    main(["--train", *files[:2], "--test", files[2], "--json", str(target)])
    figures = json.loads(target.read_text())
    assert figures["n_train"] == 180
    for found in (figures, figures["baseline"]):
        assert found["macro_f1"] > 0.7
        assert 0.0 <= found["ece"] < 0.3
        assert 0.0 <= found["coverage_at_95"] <= 1.0
    assert figures["latency_p95_ms"] > 0.0
    assert set(figures["by_class"]) == {"dns", "printing", "thermal"}
    assert "ours" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("texts", "labels", "names", "said"),
    [
        ([], [], ("text", "label"), "no rows"),
        (["a"], ["dns"], ("text", "topic"), "no column label"),
        (["a", None], ["dns", "dns"], ("text", "label"), "first is row 1"),
        (["a"], [None], ("text", "label"), "no label"),
        (["fan hot", "fan loud"], ["dns", "dns"], ("text", "label"), "two classes"),
    ],
)
def test_bad_training_files(files, tmp_path, capsys, texts, labels, names, said):
    bad = store(tmp_path / "bad.parquet", texts, labels, names)
    test = bad if said == "two classes" else files[0]
    with pytest.raises(SystemExit) as ended:
        main(["--train", bad, "--test", test, "--json", str(tmp_path / "out.json")])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_other_bad_files(files, tmp_path, capsys):
    strange = store(tmp_path / "strange.parquet", ["a"], ["no such label"])
    garbage = tmp_path / "garbage.parquet"
    garbage.write_bytes(b"no parquet")
    for test, said in (
        (strange, "no such label"),
        (str(garbage), "not a readable Parquet file"),
        (str(tmp_path / "absent"), "not a readable Parquet file"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["--train", *files[:2], "--test", test, "--json", str(tmp_path / "out.json")])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err

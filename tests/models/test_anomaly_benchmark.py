# SPDX-License-Identifier: Apache-2.0
"""The anomaly benchmark scores by the rules, and says what is wrong with a folder."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmarks.anomaly import app
from benchmarks.anomaly_rivals import RIVALS
from benchmarks.anomaly_sets import Series
from benchmarks.nab_scoring import count_probation, score_nab

RUN = CliRunner()


def series(n_rows=1000, start=500, end=599):
    window = np.zeros(n_rows, np.int64)
    window[start : end + 1] = 1
    return Series(
        name="a", seconds=np.arange(n_rows) * 300.0, values=np.zeros(n_rows), window=window
    )


def at(*rows, n_rows=1000):
    scores = np.zeros(n_rows)
    scores[list(rows)] = 1.0
    return {"a": scores}


def test_nab_rewards_early_detections_and_punishes_false_ones():
    whole = [series()]
    assert score_nab(whole, {"a": np.zeros(1000)})["standard"] == 0.0
    early, late = (score_nab(whole, at(row))["standard"] for row in (500, 590))
    assert early == pytest.approx(100.0, abs=0.1)
    assert 50.0 < late < early
    assert score_nab(whole, at(500, 501))["standard"] == early  # a second one counts for nothing
    false = score_nab(whole, at(500, 300))
    assert false["standard"] == pytest.approx(early - 100 * 0.11 / 2, abs=0.1)
    assert false["reward_low_FP_rate"] == pytest.approx(early - 100 * 0.22 / 2, abs=0.1)
    assert score_nab(whole, at(500, 20))["standard"] == early  # within the probation
    assert count_probation(1000) == 150
    assert count_probation(100_000) == 750


def test_a_folder_with_some_sets_is_measured_and_others_are_left_out(tmp_path):
    random = np.random.default_rng(1)
    train = random.normal(0.5, 0.05, (900, 3)).astype(np.float32)
    test = random.normal(0.5, 0.05, (400, 3)).astype(np.float32)
    label = np.zeros(400, np.int8)
    label[200:220] = 1
    test[200:220] += 0.6
    (tmp_path / "asd").mkdir()
    np.savez(tmp_path / "asd" / "asd.npz", **{"m/train": train, "m/test": test, "m/label": label})
    out = tmp_path / "out.json"
    found = RUN.invoke(app, ["--data", str(tmp_path), "--json", str(out), "--no-rivals"])
    assert found.exit_code == 0, found.output
    figures = json.loads(out.read_text())
    assert set(figures) == {"asd"}
    assert set(figures["asd"]) == {"ours"}
    ours = figures["asd"]["ours"]
    assert ours["vus_pr"] > 0.8
    assert ours["events_found"] == 1.0
    assert ours["fpr_at_alpha_001"] <= 0.02
    assert not any("adjusted" in key for key in ours)


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("n_metrics", [1, 4])
def test_rivals_score_every_row_and_see_what_nobody_could_miss(name, n_metrics):
    random = np.random.default_rng(2)
    train = random.normal(size=(600, n_metrics))
    test = random.normal(size=(100, n_metrics))
    test[50] = 25.0 * (-1.0) ** np.arange(n_metrics)
    scores = RIVALS[name](train, test)
    assert scores.shape == (100,)
    assert np.all(np.isfinite(scores))
    if name != "half_space_trees":  # which score near chance, and are shown doing so
        assert np.mean(scores < scores[50]) > 0.9


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, "holds none of"),
        ({"smd/smd.npz": b"no archive"}, "no NumPy archive"),
        ({"nab/nab.parquet": b"no parquet"}, "no Parquet file"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(tmp_path, files, complaint):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = RUN.invoke(app, ["--data", str(tmp_path), "--json", str(tmp_path / "o.json")])
    assert found.exit_code == 2
    assert complaint in " ".join(found.output.split())


def test_malformed_machines_and_columns_are_named(tmp_path):
    (tmp_path / "smd").mkdir()
    np.savez(tmp_path / "smd" / "smd.npz", **{"m/train": np.zeros((9, 2))})
    found = RUN.invoke(app, ["--data", str(tmp_path), "--json", str(tmp_path / "o.json")])
    assert found.exit_code == 2
    assert "lacks m/test" in " ".join(found.output.split())
    (tmp_path / "nab").mkdir()
    pd.DataFrame({"file": ["a"], "value": [1.0]}).to_parquet(tmp_path / "nab" / "nab.parquet")
    found = RUN.invoke(app, ["--data", str(tmp_path), "--json", str(tmp_path / "o.json")])
    assert found.exit_code == 2
    assert "lacks the columns timestamp, window" in " ".join(found.output.split())

# SPDX-License-Identifier: Apache-2.0
"""Script analysis measured: how well danger ranks scripts, what is escalated, and how fast it is.

Scripts of administration against attack commands: whole, in pairs of similar length, and hidden:
the attack stands at a random top-level place of a script of administration in its language, and is
compared with the same scripts untouched. Beside it, TF-IDF with logistic regression, cross-fitted
by groups (a technique is never in both parts), and a list of forbidden words.
"""

import hashlib
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from benchmarks.attack_tactics import only_looks_or_gathers
from benchmarks.script_sets import (
    BENIGN_STEM,
    DANGEROUS_STEM,
    SampleScript,
    hide,
    pair_by_length,
    read_scripts,
)
from guardrails.script_analysis import ScriptAnalysis, analyse_script

SEEDS: Final = (0, 1, 2)
N_FOLDS: Final = 5
FALSE_POSITIVE_RATE: Final = 0.01
RIVALS: Final = ("ours", "tfidf", "denylist")
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
_FORBIDDEN: Final = tuple(
    re.compile(word, re.IGNORECASE)
    for word in (
        "mimikatz", "invoke-expression", r"\biex\b", "downloadstring", "downloadfile",
        "encodedcommand", r"-enc\b", "frombase64string", r"rm\s+-rf\s+/", "mkfs", "/etc/shadow",
        "vssadmin", "wevtutil", "bcdedit", r"\bmshta\b", "regsvr32", "rundll32", "certutil",
        "bitsadmin", r"net\s+user", "schtasks", r"\bnc\s+-", "/dev/tcp/", "chmod 777", "lsass",
        "disablerealtimemonitoring", "amsi",
    )
)  # fmt: skip
# A second opinion on dynamic code, apart from the analysis: plain patterns.
_DYNAMIC: Final = re.compile(
    r"\|\s*(?:iex|invoke-expression)\b|\b(?:iex|invoke-expression)\s*\(+\s*(?:\$|new-object|iwr|irm|invoke-)"
    r"|^\s*eval\s+[\"$`]|(?:curl|wget)\s[^\n]*\|\s*(?:sudo\s+)?(?:ba)?sh\b",
    re.IGNORECASE | re.MULTILINE,
)


def measure_scripts(folder: Path, console: Console) -> dict[str, Any]:
    """Return the figures of script analysis on `folder`, and print them.

    Raises:
        benchmarks.labelled_files.UnusableFileError: a file is missing or lacks a field.

    """
    benign = read_scripts(folder, BENIGN_STEM, dangerous=False)
    dangerous = read_scripts(folder, DANGEROUS_STEM, dangerous=True)
    console.print(f"scripts: {len(benign)} of administration, {len(dangerous)} attacks")
    analyses, milliseconds = _analyse_all([*benign, *dangerous])
    wanted = np.array([not only_looks_or_gathers(each.technique) for each in dangerous])
    everything = np.ones(len(dangerous), dtype=np.bool_)
    first_half = np.array([_is_first_half(each.group) for each in dangerous])
    scores = {name: _Scores() for name in RIVALS}
    for seed in SEEDS:
        console.print(f"scripts: seed {seed}")
        _score_seed(benign, dangerous, analyses, seed, scores)
    pairs = pair_by_length(benign, dangerous)
    figures: dict[str, Any] = _summarise(scores, pairs, wanted)
    figures["all_techniques"] = _summarise(scores, pairs, everything)
    figures["hidden_by_half_of_techniques"] = {
        half: _summarise({"ours": scores["ours"]}, pairs, wanted & chosen)["hidden"]["ours"]
        for half, chosen in (("first", first_half), ("second", ~first_half))
    }
    one_line = np.array(["\n" not in each.text.strip() for each in dangerous])
    figures["hidden_one_line"] = _summarise(scores, pairs, wanted & one_line)["hidden"]
    figures["hidden_by_language"] = {
        language: _summarise({"ours": scores["ours"]}, pairs, wanted & chosen)["hidden"]["ours"]
        for language in sorted({each.interpreter for each in dangerous})
        if (chosen := np.array([each.interpreter == language for each in dangerous])).any()
    }
    figures |= describe_escalation(benign, dangerous, analyses)
    figures["p50_ms"] = float(np.quantile(milliseconds, 0.5))
    figures["p99_ms"] = float(np.quantile(milliseconds, 0.99))
    figures["longest_ms"] = float(milliseconds.max())
    figures |= {"n_benign": len(benign), "n_dangerous": len(dangerous), "n_pairs": len(pairs)}
    figures |= {"n_dangerous_of_the_bar": int(wanted.sum()), "seeds": list(SEEDS)}
    _show(figures, console)
    return figures


class _Scores:
    """One rival's scores: of whole scripts, and of hidden attacks, each by seed."""

    def __init__(self) -> None:
        self.benign: list[FloatArray] = []
        self.dangerous: list[FloatArray] = []
        self.hidden: list[FloatArray] = []


def _is_first_half(group: str) -> bool:
    return hashlib.sha256(group.encode()).digest()[0] % 2 == 0


def _analyse_all(scripts: Sequence[SampleScript]) -> tuple[list[ScriptAnalysis], FloatArray]:
    """Return the analyses, and the milliseconds of one core that each took."""
    analyse_script("powershell", b"Get-Date")
    analyse_script("bash", b"date")
    analyses, milliseconds = [], []
    for script in scripts:
        content = script.text.encode("utf-8", "replace")
        started = time.thread_time()
        analyses.append(analyse_script(script.interpreter, content))
        milliseconds.append((time.thread_time() - started) * 1000)
    return analyses, np.array(milliseconds)


def _score_seed(
    benign: Sequence[SampleScript],
    dangerous: Sequence[SampleScript],
    analyses: Sequence[ScriptAnalysis],
    seed: int,
    scores: Mapping[str, _Scores],
) -> None:
    """Add the scores of one seed: its folds, its hosts and its places."""
    scripts = [*benign, *dangerous]
    labels = np.array([0] * len(benign) + [1] * len(dangerous))
    groups = [each.group for each in scripts]
    texts = [each.text for each in scripts]
    fold_of = np.zeros(len(scripts), dtype=np.int64)
    splitter = StratifiedGroupKFold(n_splits=N_FOLDS, shuffle=True, random_state=seed)
    folds = list(splitter.split(texts, labels, groups))
    for fold, (_, held_out) in enumerate(folds):
        fold_of[held_out] = fold
    hidden = _hide_all(benign, dangerous, fold_of, seed)
    whole = {"ours": np.array([each.danger for each in analyses])}
    inside = {
        "ours": np.array([_rate(each, text) for each, text in zip(dangerous, hidden, strict=True)])
    }
    whole["denylist"] = np.array([_count_forbidden(text) for text in texts])
    inside["denylist"] = np.array([_count_forbidden(text) for text in hidden])
    whole["tfidf"], inside["tfidf"] = np.zeros(len(scripts)), np.zeros(len(dangerous))
    for fold, (train, held_out) in enumerate(folds):
        rate = _fit_rival([texts[each] for each in train], labels[train])
        whole["tfidf"][held_out] = rate([texts[each] for each in held_out])
        own = np.flatnonzero(fold_of[len(benign) :] == fold)
        if len(own):
            inside["tfidf"][own] = rate([hidden[each] for each in own])
    for name, kept in scores.items():
        kept.benign.append(whole[name][: len(benign)])
        kept.dangerous.append(whole[name][len(benign) :])
        kept.hidden.append(inside[name])


def _hide_all(
    benign: Sequence[SampleScript],
    dangerous: Sequence[SampleScript],
    fold_of: npt.NDArray[np.int64],
    seed: int,
) -> list[str]:
    """Hide each attack in a script of its language; of its own fold, which no rival has seen."""
    draw = random.Random(seed)  # noqa: S311 - a benchmark
    hidden = []
    for position, attack in enumerate(dangerous):
        fold = fold_of[len(benign) + position]
        same = [
            each for each in range(len(benign)) if benign[each].interpreter == attack.interpreter
        ]
        hosts = [each for each in same if fold_of[each] == fold] or same or [*range(len(benign))]
        hidden.append(hide(attack, benign[draw.choice(hosts)], draw))
    return hidden


def _rate(attack: SampleScript, text: str) -> float:
    return analyse_script(attack.interpreter, text.encode("utf-8", "replace")).danger


def _count_forbidden(text: str) -> int:
    return sum(word.search(text) is not None for word in _FORBIDDEN)


def _fit_rival(
    texts: Sequence[str], labels: npt.NDArray[np.int64]
) -> Callable[[Sequence[str]], FloatArray]:
    model = make_pipeline(
        TfidfVectorizer(),
        LogisticRegression(C=10.0, max_iter=1000),
    )
    model.fit(texts, labels)

    def rate(shown: Sequence[str]) -> FloatArray:
        return np.asarray(model.predict_proba(shown)[:, 1], dtype=np.float64)

    return rate


def find_recall(negatives: FloatArray, positives: FloatArray, rate: float) -> float:
    """Return the share of positives above the threshold that at most `rate` negatives pass."""
    if not len(positives):
        return 0.0
    threshold = np.sort(negatives)[::-1][int(rate * len(negatives))]
    return float((positives > threshold).mean())


def _summarise(
    scores: Mapping[str, _Scores], pairs: Sequence[tuple[int, int]], chosen: BoolArray
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the figures of the chosen attacks: mean over seeds, and its standard deviation."""
    kept = [(left, right) for left, right in pairs if chosen[right]]
    lefts, rights = [left for left, _ in kept], [right for _, right in kept]
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, each in scores.items():
        cases = {
            "whole": [(b, d[chosen]) for b, d in zip(each.benign, each.dangerous, strict=True)],
            "length_matched": [
                (b[lefts], d[rights]) for b, d in zip(each.benign, each.dangerous, strict=True)
            ],
            "hidden": [(b, h[chosen]) for b, h in zip(each.benign, each.hidden, strict=True)],
        }
        for case, samples in cases.items():
            found.setdefault(case, {})[name] = _compare(samples)
    return found


def _compare(samples: Sequence[tuple[FloatArray, FloatArray]]) -> dict[str, float]:
    usable = [(low, high) for low, high in samples if len(low) and len(high)]
    if not usable:
        return {"auc": 0.0, "recall_at_1pct_fpr": 0.0, "recall_std": 0.0}
    aucs = [
        roc_auc_score([0] * len(low) + [1] * len(high), np.concatenate([low, high]))
        for low, high in usable
    ]
    recalls = [find_recall(low, high, FALSE_POSITIVE_RATE) for low, high in usable]
    return {
        "auc": float(np.mean(aucs)),
        "recall_at_1pct_fpr": float(np.mean(recalls)),
        "recall_std": float(np.std(recalls)),
    }


def describe_escalation(
    benign: Sequence[SampleScript],
    dangerous: Sequence[SampleScript],
    analyses: Sequence[ScriptAnalysis],
) -> dict[str, Any]:
    """Return how much is escalated as not judgeable; a share of nothing is None.

    `dynamic_by_pattern_escalated` is the share of the scripts in which the plain patterns above see
    code that is computed or fetched, which the analysis knows nothing of.
    """
    scripts = [*benign, *dangerous]
    suspected = [
        analysis
        for script, analysis in zip(scripts, analyses, strict=True)
        if script.interpreter in ("powershell", "bash") and _DYNAMIC.search(script.text)
    ]
    ours = analyses[: len(benign)]
    return {
        "dynamic_by_pattern_escalated": _share([not each.judgeable for each in suspected]),
        "n_dynamic_by_pattern": len(suspected),
        "benign_unparsed": _share([not each.parsed for each in ours]),
        "benign_escalated": _share([not each.judgeable for each in ours]),
        "dangerous_escalated": _share([not each.judgeable for each in analyses[len(benign) :]]),
    }


def _share(flags: Sequence[bool]) -> float | None:
    return float(np.mean(flags)) if flags else None


def _percent(share: float | None) -> str:
    return "none to judge" if share is None else f"{share:.1%}"


def _show(figures: Mapping[str, Any], console: Console) -> None:
    table = Table(
        "", *RIVALS, title="scripts: AUC / recall at 1 % false positives", title_justify="left"
    )
    for case in ("whole", "length_matched", "hidden"):
        for label, held in (("", figures), (", all techniques", figures["all_techniques"])):
            cells = [held[case][name] for name in RIVALS]
            table.add_row(
                case + label,
                *(f"{each['auc']:.3f} / {each['recall_at_1pct_fpr']:.3f}" for each in cells),
            )
    console.print(table)
    console.print(
        "escalated: of scripts with dynamic code by plain patterns"
        f" {_percent(figures['dynamic_by_pattern_escalated'])}"
        f" (n = {figures['n_dynamic_by_pattern']}),"
        f" of administration {_percent(figures['benign_escalated'])},"
        f" of attacks {_percent(figures['dangerous_escalated'])};"
        f" p50 {figures['p50_ms']:.2f} ms, p99 {figures['p99_ms']:.1f} ms"
    )

# SPDX-License-Identifier: Apache-2.0
"""The starter articles as texts to measure with."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def read_starter_texts() -> list[str]:
    """Return the starter articles as they are written, by file name."""
    articles = sorted((ROOT / "knowledge" / "articles").glob("*.md"))
    return [path.read_text(encoding="utf-8") for path in articles]

# SPDX-License-Identifier: Apache-2.0
"""Corpus ingestion, embeddings and hybrid search over articles and the script catalogue."""

# SPDX-License-Identifier: Apache-2.0
"""How much memory the embedded server takes for its cache."""

from kernel.postmaster import MAX_BUFFERS, MIN_BUFFERS, choose_buffers


def test_the_cache_is_a_bounded_share_of_the_memory(tmp_path):
    limit = tmp_path / "memory.max"
    limit.write_text(f"{2 * 1024**3}\n")
    assert choose_buffers(limit) == 256
    limit.write_text(f"{64 * 1024**2}\n")
    assert choose_buffers(limit) == MIN_BUFFERS
    limit.write_text("max\n")
    assert choose_buffers(limit) == choose_buffers(tmp_path / "none")
    assert MIN_BUFFERS <= choose_buffers(limit) <= MAX_BUFFERS

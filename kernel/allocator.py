# SPDX-License-Identifier: Apache-2.0
"""Keeps freed memory in the process: computing in arrays asks for the same pieces again and again.

By default glibc hands what is freed at the top of the heap back to the system, and maps larger
pieces anew each time; each of their pages is then faulted in again, which costs more than the
arithmetic on them.
"""

import ctypes
import sys

_TRIM_THRESHOLD = -1  # the names of mallopt(3)
_MMAP_THRESHOLD = -3
_LARGEST_PIECE = 64 << 20
_KEPT_BYTES = 256 << 20


def keep_freed_memory() -> bool:
    """Let the process keep up to 256 MB that it has freed; tell whether the system does so."""
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library, as on Alpine
        return False
    settings = ((_MMAP_THRESHOLD, _LARGEST_PIECE), (_TRIM_THRESHOLD, _KEPT_BYTES))
    return all(mallopt(name, size) == 1 for name, size in settings)

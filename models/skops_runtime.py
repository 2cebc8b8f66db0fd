# SPDX-License-Identifier: Apache-2.0
"""The one place that loads skops, without the deep-learning library it does not need here.

To know what to trust, skops imports all of scikit-learn, whose array adapters import torch where
that is installed: two seconds of a start. Without it they are left out.
"""

from kernel.imports import absent

with absent("torch"):
    from skops.io import dumps, loads  # type: ignore[import-untyped]
    from skops.io.exceptions import UntrustedTypesFoundException  # type: ignore[import-untyped]

__all__ = ["UntrustedTypesFoundException", "dumps", "loads"]

# SPDX-License-Identifier: Apache-2.0
"""Which text a person may search for by a code, so that it is not left out as a page's frame.

What counts as a code is the signals' to say; here only which kinds of them a frame holds too.
"""

import re

from retrieval.signals import list_signals

# Numbers of three parts count as mail status codes too, unless the text says that they are not.
_STATED_VERSION = re.compile(
    r"\b(?:v|ver\.?|version|release|rev\.?|revision)\s*\d+(?:\.\d+)*\b", re.IGNORECASE
)


def has_code(text: str, *, besides: frozenset[str] = frozenset()) -> bool:
    """Tell whether the text holds an error code, KB number or the like.

    No version is one, nor what is of the kinds of signals in `besides`.
    """
    kinds = {signal.partition(":")[0] for signal in list_signals(_STATED_VERSION.sub("", text))}
    return not kinds <= besides | {"version"}

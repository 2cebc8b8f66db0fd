# SPDX-License-Identifier: Apache-2.0
"""Which function a node of a bash script stands in, however many functions there are."""

import pytest

from guardrails.script_analysis import analyse_script

_MANY = " ".join(f"g{number} () {{ :; }};" for number in range(700))


@pytest.mark.parametrize(
    "text",
    [
        f"f() {{ {_MANY} f & f; }}\nf",
        f"{_MANY}\nf() {{ f | f & }}\nf",
        f"f() {{ {_MANY} g() {{ f & f; }}; g; }}\nf",
    ],
    ids=["behind many inside", "behind many", "in one of many"],
)
def test_many_functions_hide_no_fork_bomb(text):
    reasons = {doubt.reason for doubt in analyse_script("bash", text.encode()).doubts}
    assert "a function starts copies of itself without end (fork bomb)" in reasons


def test_many_functions_hide_no_argument_from_outside():
    text = f"f() {{ {_MANY} echo $(($1)); }}\nf"
    assert analyse_script("bash", f"{text} 3".encode()).judgeable
    assert not analyse_script("bash", f'{text} "$1"'.encode()).judgeable

# SPDX-License-Identifier: Apache-2.0
"""Rules and what ends their violation."""

import math
import operator

from hypothesis import example, given
from hypothesis import strategies as st

from models.guards import BURNING_RULE, CONTENDED_RULE, RULES, SERVICE_RULE
from models.signals import read_value

EVERY_RULE = (*RULES, SERVICE_RULE, BURNING_RULE, CONTENDED_RULE)
COMPARE = {"<": operator.lt, ">": operator.gt}


@given(
    rule=st.sampled_from(EVERY_RULE),
    offset=st.floats(-200, 200, allow_nan=False),
)
@example(rule=next(rule for rule in RULES if rule.metric == "clock_offset_seconds"), offset=-130.0)
@example(rule=SERVICE_RULE, offset=0.0)
@example(rule=BURNING_RULE, offset=0.0)
def test_a_rule_is_kept_again_exactly_when_it_is_no_longer_violated(rule, offset):
    name = f"{rule.metric}x" if rule.metric.endswith(":") else rule.metric
    value = rule.threshold + offset
    read = read_value(name, value)
    assert not math.isnan(read)
    recovered = all(COMPARE[each.operator](value, each.value) for each in rule.list_recovery(name))
    assert recovered is not rule.is_violated_by(read)
    assert {each.metric for each in rule.list_recovery(name)} == {name}

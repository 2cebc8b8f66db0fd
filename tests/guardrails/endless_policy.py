# SPDX-License-Identifier: Apache-2.0
"""Versions of the policy that compute, or grow, without end."""

from guardrails.policy_source import POLICIES_DIR, PolicySource, read_folder

SOURCE = read_folder(POLICIES_DIR)
LETTERS = '\nletters := ["a","b","c","d","e","f","g","h","i","j","k","l","m","n","o","p"]\n'
# Sixteen million texts, of which no two are alike.
WIDE = (
    "{concat(input.proposal.proposal_id, [a, b, c, d, e, f]) | some a in letters;"
    " some b in letters; some c in letters; some d in letters; some e in letters;"
    " some f in letters}"
)
SLOW = f'{LETTERS}\nwide := {WIDE}\n\ndeny contains "slow" if count(wide) == 3\n'
SLOW_ON_ONE = f"""{LETTERS}
wide := {WIDE} if input.proposal.proposal_id == "pro_slow"

deny contains "slow" if count(wide) == 3
"""
HUGE = (
    '\nt0 := "xxxxxxxxxxxxxxxx"\n'
    + "".join(f'\nt{n + 1} := concat("", [t{n}, t{n}])\n' for n in range(40))
    + '\ndeny contains "huge" if count(t40) == 3\n'
)


def extend(rules: str) -> PolicySource:
    text = SOURCE.files["approval.rego"] + rules
    return PolicySource(files={**SOURCE.files, "approval.rego": text}, cases=SOURCE.cases)

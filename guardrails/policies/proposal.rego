# SPDX-License-Identifier: Apache-2.0
# May this proposal be shown to people? Below the threshold the system abstains instead.
package eucora.proposal

import data.eucora.common
import rego.v1

default allow := false

allow if {
	count(deny) == 0
	input.proposal.confidence >= input.confidence_threshold
	input.platform_match == true
	input.parameters_valid == true
}

requires_quorum := common.requires_quorum

deny contains reason if some reason in common.deny

deny contains "missing:proposal.confidence" if not is_number(input.proposal.confidence)

deny contains "missing:proposal.n_citations" if not is_number(input.proposal.n_citations)

deny contains "missing:confidence_threshold" if not is_number(input.confidence_threshold)

deny contains "missing:platform_match" if not is_boolean(input.platform_match)

deny contains "missing:parameters_valid" if not is_boolean(input.parameters_valid)

deny contains "low_confidence" if input.proposal.confidence < input.confidence_threshold

deny contains "no_citation" if input.proposal.n_citations < 1

deny contains "platform_mismatch" if input.platform_match == false

deny contains "parameters_invalid" if input.parameters_valid == false

# SPDX-License-Identifier: Apache-2.0
# May this proposal be shown to people? Below the threshold the system abstains instead.
package eucora.proposal

import data.eucora.common
import rego.v1

default allow := false

allow if count(deny) == 0

requires_quorum := common.requires_quorum

deny contains reason if some reason in common.deny

is_confident if {
	is_number(input.proposal.confidence)
	is_number(input.confidence_threshold)
	input.proposal.confidence >= input.confidence_threshold
}

is_grounded if {
	is_number(input.proposal.n_citations)
	input.proposal.n_citations >= 1
}

deny contains "low_confidence" if not is_confident

deny contains "no_citation" if not is_grounded

deny contains "platform_mismatch" if not input.platform_match == true

deny contains "parameters_invalid" if not input.parameters_valid == true

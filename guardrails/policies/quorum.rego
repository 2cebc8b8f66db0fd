# SPDX-License-Identifier: Apache-2.0
# How many different people must approve, and what every decision needs to know.
package eucora.common

import rego.v1

cab_risk := 50

exception_risk := 75

privileged_effects := {
	"disables_security",
	"changes_accounts",
	"reads_credentials",
	"runs_dynamic_code",
}

severities := {"none", "low", "medium", "high", "critical"}

wide_radius := {"device", "network"}

default requires_quorum := 2

requires_quorum := 1 if {
	count(missing) == 0
	not needs_board
}

needs_board if input.proposal.risk_score > cab_risk

needs_board if input.script.analysis.judgeable != true

needs_board if input.script.analysis.severity in {"high", "critical"}

needs_board if {
	some effect in input.script.analysis.effects
	effect in privileged_effects
}

needs_board if {
	input.device.business_critical
	input.script.blast_radius in wide_radius
}

missing contains "now" if not is_number(input.now)

missing contains "proposal.proposal_id" if not filled(input.proposal.proposal_id)

missing contains "proposal.requested_by" if not filled(input.proposal.requested_by)

missing contains "proposal.risk_score" if not percentage(input.proposal.risk_score)

missing contains "proposal.expires_at" if not is_number(input.proposal.expires_at)

missing contains "script.author" if not filled(input.script.author)

missing contains "script.privilege" if not input.script.privilege in {"user", "admin"}

missing contains "script.blast_radius" if {
	not input.script.blast_radius in {"process", "service", "application", "device", "network"}
}

missing contains "script.analysis.judgeable" if not is_boolean(input.script.analysis.judgeable)

missing contains "script.analysis.severity" if not input.script.analysis.severity in severities

missing contains "script.analysis.effects" if not is_array(input.script.analysis.effects)

missing contains "device.business_critical" if not is_boolean(input.device.business_critical)

missing contains "device.status" if not filled(input.device.status)

deny contains concat(":", ["missing", path]) if some path in missing

deny contains "expired" if input.now >= input.proposal.expires_at

deny contains "device_retired" if input.device.status != "active"

deny contains "critical_effect" if input.script.analysis.severity == "critical"

filled(value) if {
	is_string(value)
	value != ""
}

percentage(value) if {
	is_number(value)
	value >= 0
	value <= 100
}

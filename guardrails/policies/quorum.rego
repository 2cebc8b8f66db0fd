# SPDX-License-Identifier: Apache-2.0
# How many different people must approve, and what every decision denies.
# Denials are written as "not what is fine", so that what is undefined denies too; what is compared
# with a bound is a number first, because engines order other types beside numbers, each in its way.
package eucora.common

import rego.v1

cab_risk := 50

exception_risk := 75

privileged_effects := {
	"captures_data",
	"changes_accounts",
	"disables_security",
	"encrypts_files",
	"erases_traces",
	"hides_activity",
	"injects_code",
	"opens_network",
	"persists",
	"reaches_devices",
	"reads_credentials",
	"runs_downloaded_code",
	"runs_dynamic_code",
	"sends_data",
}

lesser_severities := {"none", "low", "medium"}

narrow_radius := {"process", "service", "application"}

now := input.now if is_number(input.now)

risk := input.proposal.risk_score if is_number(input.proposal.risk_score)

default requires_quorum := 2

requires_quorum := 1 if {
	risk <= cab_risk
	input.script.analysis.judgeable == true
	input.script.analysis.severity in lesser_severities
	is_array(input.script.analysis.effects)
	not is_privileged
	is_contained
}

is_privileged if {
	some effect in input.script.analysis.effects
	effect in privileged_effects
}

is_contained if input.device.business_critical == false

is_contained if input.script.blast_radius in narrow_radius

is_in_time if {
	is_number(input.proposal.expires_at)
	now < input.proposal.expires_at
}

# High risk is run on an exception alone; approval and dispatch ask this.
is_excepted if input.exception_active == true

is_excepted if risk <= exception_risk

deny contains "expired" if not is_in_time

deny contains "device_retired" if not input.device.status == "active"

deny contains "critical_effect" if not input.script.analysis.severity != "critical"

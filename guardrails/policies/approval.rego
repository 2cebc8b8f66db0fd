# SPDX-License-Identifier: Apache-2.0
# May this person approve this proposal now? Separation of duties, roles, freeze, exceptions.
package eucora.approval

import data.eucora.common
import rego.v1

approving_roles := {"approver"}

default allow := false

allow if {
	count(deny) == 0
	input.proposal.status == "pending"
	input.approval.bundle_digest == input.proposal.bundle_digest
	holds_role
	input.freeze_active == false
}

requires_quorum := common.requires_quorum

holds_role if {
	some role in input.approval.roles
	role in approving_roles
}

deny contains reason if some reason in common.deny

deny contains "missing:proposal.status" if not common.filled(input.proposal.status)

deny contains "missing:proposal.bundle_digest" if not common.filled(input.proposal.bundle_digest)

deny contains "missing:approval.approver" if not common.filled(input.approval.approver)

deny contains "missing:approval.roles" if not is_array(input.approval.roles)

deny contains "missing:approval.bundle_digest" if not common.filled(input.approval.bundle_digest)

deny contains "missing:approved_by" if not is_array(input.approved_by)

deny contains "missing:freeze_active" if not is_boolean(input.freeze_active)

deny contains "missing:exception_active" if not is_boolean(input.exception_active)

deny contains "role_missing" if not holds_role

deny contains "self_approval" if lower(input.approval.approver) == lower(input.proposal.requested_by)

deny contains "author_approval" if lower(input.approval.approver) == lower(input.script.author)

deny contains "already_approved" if {
	some name in input.approved_by
	lower(name) == lower(input.approval.approver)
}

deny contains "not_pending" if input.proposal.status != "pending"

deny contains "bundle_changed" if input.approval.bundle_digest != input.proposal.bundle_digest

deny contains "freeze_window" if input.freeze_active == true

deny contains "exception_missing" if {
	input.proposal.risk_score > common.exception_risk
	input.exception_active == false
}

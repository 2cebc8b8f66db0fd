# SPDX-License-Identifier: Apache-2.0
# May a job for this proposal be made now? Everything approval promised is checked once more.
package eucora.dispatch

import data.eucora.common
import rego.v1

default allow := false

allow if {
	count(deny) == 0
	input.proposal.status == "approved"
	input.digests_match == true
	input.freeze_active == false
	count(valid_approvers) >= requires_quorum
}

requires_quorum := common.requires_quorum

# Set, so that one person counts once; an author or requester never counts.
valid_approvers contains lower(approval.approver) if {
	some approval in input.approvals
	common.filled(approval.approver)
	approval.bundle_digest == input.proposal.bundle_digest
	is_number(approval.expires_at)
	approval.expires_at > input.now
	lower(approval.approver) != lower(input.proposal.requested_by)
	lower(approval.approver) != lower(input.script.author)
}

deny contains reason if some reason in common.deny

deny contains "missing:proposal.status" if not common.filled(input.proposal.status)

deny contains "missing:proposal.bundle_digest" if not common.filled(input.proposal.bundle_digest)

deny contains "missing:approvals" if not is_array(input.approvals)

deny contains "missing:digests_match" if not is_boolean(input.digests_match)

deny contains "missing:freeze_active" if not is_boolean(input.freeze_active)

deny contains "missing:exception_active" if not is_boolean(input.exception_active)

deny contains "not_approved" if input.proposal.status != "approved"

deny contains "digest_mismatch" if input.digests_match == false

deny contains "freeze_window" if input.freeze_active == true

deny contains "quorum_missing" if count(valid_approvers) < requires_quorum

deny contains "bundle_changed" if {
	some approval in input.approvals
	approval.bundle_digest != input.proposal.bundle_digest
}

deny contains "approval_expired" if {
	some approval in input.approvals
	not approval.expires_at > input.now
}

deny contains "exception_missing" if {
	input.proposal.risk_score > common.exception_risk
	input.exception_active == false
}

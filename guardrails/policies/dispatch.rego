# SPDX-License-Identifier: Apache-2.0
# May a job for this proposal be made now? Everything approval promised is checked once more.
package eucora.dispatch

import data.eucora.common
import rego.v1

default allow := false

allow if count(deny) == 0

requires_quorum := common.requires_quorum

# A set, so that one person counts once; an author or requester never counts.
valid_approvers contains lower(approval.approver) if {
	some approval in input.approvals
	approval.approver != ""
	approval.bundle_digest == input.proposal.bundle_digest
	stands(approval)
	lower(approval.approver) != lower(input.proposal.requested_by)
	lower(approval.approver) != lower(input.script.author)
}

stands(approval) if {
	is_number(approval.expires_at)
	approval.expires_at > common.now
}

deny contains reason if some reason in common.deny

deny contains "not_approved" if not input.proposal.status == "approved"

deny contains "digest_mismatch" if not input.digests_match == true

deny contains "freeze_window" if not input.freeze_active == false

deny contains "quorum_missing" if count(valid_approvers) < requires_quorum

deny contains "bundle_changed" if {
	some approval in input.approvals
	not approval.bundle_digest == input.proposal.bundle_digest
}

deny contains "approval_expired" if {
	some approval in input.approvals
	not stands(approval)
}

deny contains "exception_missing" if not common.is_excepted

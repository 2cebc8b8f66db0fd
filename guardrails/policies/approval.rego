# SPDX-License-Identifier: Apache-2.0
# May this person approve this proposal now? Separation of duties, roles, freeze, exceptions.
package eucora.approval

import data.eucora.common
import rego.v1

default allow := false

allow if count(deny) == 0

requires_quorum := common.requires_quorum

approving_roles := {"approver"}

approver := lower(input.approval.approver)

holds_role if {
	some role in input.approval.roles
	role in approving_roles
}

deny contains reason if some reason in common.deny

deny contains "role_missing" if not holds_role

deny contains "self_approval" if not approver != lower(input.proposal.requested_by)

deny contains "author_approval" if not approver != lower(input.script.author)

deny contains "already_approved" if not is_array(input.approved_by)

deny contains "already_approved" if {
	some name in input.approved_by
	lower(name) == approver
}

deny contains "not_pending" if not input.proposal.status == "pending"

deny contains "bundle_changed" if not input.approval.bundle_digest == input.proposal.bundle_digest

deny contains "freeze_window" if not input.freeze_active == false

deny contains "exception_missing" if not common.is_excepted

# SPDX-License-Identifier: Apache-2.0
"""Proof: signed evidence bundles, the Merkle audit log, the object store, offline verification.

Every statement about a case is an in-toto Statement in a DSSE envelope inside a sigstore bundle,
signed with ECDSA P-256; its audit event is a leaf of a C2SP tlog-tiles log. What is here never
edits: later facts are further statements about the same subject.
"""

# SPDX-License-Identifier: Apache-2.0
"""A policy version as a bundle for OPA servers: a .tar.gz whose revision is the policy's digest.

Format: https://www.openpolicyagent.org/docs/management-bundles. The same version gives the same
bytes. Cases are not in it.
"""

import gzip
import io
import tarfile

from contracts.canonical import canonical_json
from guardrails.policy_source import PolicySource

MANIFEST = ".manifest"


def write_bundle(source: PolicySource) -> bytes:
    """Return the bundle of a policy version."""
    manifest = {"revision": source.digest, "roots": ["eucora"], "rego_version": 1}
    contents = {
        MANIFEST: canonical_json(manifest),
        **{f"eucora/{name}": text.encode() for name, text in sorted(source.files.items())},
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"/{name}")
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)

# SPDX-License-Identifier: Apache-2.0
"""Cases that came to an end: the rows that decisions and verified outcomes leave."""

from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from models.recommender import SIGNAL_NAMES

SIGNALS = dict.fromkeys(SIGNAL_NAMES, 0.7) | {"class_match": 1.0, "preconditions": 1.0}
MOMENT = datetime.fromisoformat("2026-11-02T08:00:00+00:00")


async def add_case(connection: Any, name: str, **changes: Any) -> str:
    """Insert a proposal with its incident and device; return the proposal's id."""
    values = {
        "script_id": "script-a", "version": "1.0.0", "status": "approved", "parent": None,
        "diagnosis": "disk_full", "device": "dev-1", "os_version": "12", "signals": SIGNALS,
        "minute": 0,
    } | changes  # fmt: skip
    at = MOMENT + timedelta(minutes=values["minute"])
    await connection.execute(
        "INSERT INTO devices (device_id, hostname, os_family, os_version, enrolled_at)"
        " VALUES (%s, 'h', 'linux', %s, %s) ON CONFLICT DO NOTHING",
        (values["device"], values["os_version"], at),
    )
    await connection.execute(
        "INSERT INTO incidents (incident_id, device_id, source, failure_class, confidence,"
        " severity, status, title, description, episode_key, reported_by, correlation_id,"
        " opened_at, updated_at) VALUES (%s, %s, 'detection', %s, 0.9, 'S2', 'resolved', 't', 'd',"
        " %s, 'system', 'cor_case', %s, %s)",
        (f"inc_{name}", values["device"], values["diagnosis"], name, at, at),
    )
    candidates = [
        {"script_id": "another", "signals": dict.fromkeys(SIGNAL_NAMES, 0.0)},
        {"script_id": values["script_id"], "signals": values["signals"]},
    ]
    await connection.execute(
        "INSERT INTO proposals (proposal_id, incident_id, status, diagnosis, script_id,"
        " script_version, target_device_id, confidence, candidates, requested_by, correlation_id,"
        " parent_proposal_id, created_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, 0.7, %s, 'system', 'cor_case', %s, %s, %s)",
        (
            f"prp_{name}", f"inc_{name}", values["status"], values["diagnosis"],
            values["script_id"], values["version"], values["device"], Jsonb(candidates),
            values["parent"], at, at + timedelta(days=1),
        ),
    )  # fmt: skip
    return f"prp_{name}"


async def add_label(
    connection: Any, proposal_id: str, label: str, *, actor: str = "ada", minute: float = 0
) -> str:
    """Insert a decision or an outcome of a proposal; return the label's id."""
    label_id = f"lbl_{proposal_id}_{label}_{actor}"
    outcome = label in {"succeeded", "failed", "not_needed"}
    await connection.execute(
        "INSERT INTO labels (label_id, incident_id, proposal_id, script_id, kind, label, actor,"
        " created_at) SELECT %s, incident_id, proposal_id, script_id, %s, %s, %s, %s"
        " FROM proposals WHERE proposal_id = %s",
        (
            label_id, "outcome" if outcome else "decision", label,
            "system:verification" if outcome else actor,
            MOMENT + timedelta(minutes=minute), proposal_id,
        ),
    )  # fmt: skip
    return label_id

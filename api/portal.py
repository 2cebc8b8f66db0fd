# SPDX-License-Identifier: Apache-2.0
"""The portal: server-rendered pages and forms, one module a noun, joined here."""

from fastapi import APIRouter

from api import (
    portal_audit,
    portal_decisions,
    portal_devices,
    portal_drift,
    portal_exceptions,
    portal_freezes,
    portal_incidents,
    portal_knowledge,
    portal_login,
    portal_mlflow,
    portal_models,
    portal_originals,
    portal_people,
    portal_policies,
    portal_proposals,
    portal_scripts,
    portal_search,
    portal_sources,
)

router = APIRouter()
for part in (
    portal_login,
    portal_incidents,
    portal_originals,
    portal_proposals,
    portal_decisions,
    portal_exceptions,
    portal_freezes,
    portal_devices,
    portal_scripts,
    portal_search,
    portal_sources,  # before the knowledge, whose documents may have any name
    portal_knowledge,
    portal_mlflow,  # before the models, of which none may have its name
    portal_models,
    portal_drift,
    portal_policies,
    portal_audit,
    portal_people,
):
    router.include_router(part.router)

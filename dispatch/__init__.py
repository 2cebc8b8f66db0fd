# SPDX-License-Identifier: Apache-2.0
"""Carries out what was approved: ring plans, signed jobs, receipts, verification by telemetry."""

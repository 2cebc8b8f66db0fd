# SPDX-License-Identifier: Apache-2.0
"""Features, anomaly and drift detection, classifiers, recommender and the model registry.

Every function that decides is a function of values; databases and MLflow stand at the edges
(`inference`, `registry`). What is done about a finding is decided elsewhere.
"""

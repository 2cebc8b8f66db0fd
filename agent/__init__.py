# SPDX-License-Identifier: Apache-2.0
"""The endpoint daemon: it observes its device, and runs exactly what people approved.

Imports `contracts` and nothing else of ours. Everything it must not forget stands in one SQLite
file of its state directory; everything it decides about a job is a pure function
(`agent.verification`).
"""

__version__ = "0.1.0"

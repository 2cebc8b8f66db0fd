# SPDX-License-Identifier: Apache-2.0
"""MLflow's own server, as a child of ours: listens on a unix socket alone, ends with its parent.

Started as `python -m api.mlflow_child`. What it needs to know comes as one line of JSON over its
standard input: the database's address has a password, which belongs into no list of processes.
"""

import json
import os
import sys
import threading

PREFIX = "/models/mlflow"


def main() -> None:
    """Serve until told to stop, or until standard input ends because the parent has."""
    told = json.loads(sys.stdin.readline())
    os.umask(0o077)
    os.environ.update(
        {
            "_MLFLOW_SERVER_FILE_STORE": told["tracking_uri"],
            "_MLFLOW_SERVER_REGISTRY_STORE": told["tracking_uri"],
            "_MLFLOW_SERVER_ARTIFACT_ROOT": told["artifacts_uri"],
            "_MLFLOW_STATIC_PREFIX": PREFIX,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_SERVER_ALLOWED_HOSTS": "localhost",
        }
    )
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import uvicorn  # noqa: PLC0415 - slow, as what it serves

    uvicorn.run(
        "mlflow.server.fastapi_app:app",
        uds=told["socket"],
        log_level="warning",
        access_log=False,
    )


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()

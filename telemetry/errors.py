# SPDX-License-Identifier: Apache-2.0
"""Errors of telemetry: TelemetryError and, below it, one class per cause."""

from collections.abc import Mapping, Sequence


class TelemetryError(Exception):
    """Telemetry cannot do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__class__.__doc__)


class MalformedReportError(TelemetryError):
    """The body is not a telemetry report, nor an array of them.

    `path` says where, in msgspec's notation, such as `$[0].hardware.cpu_percent`.
    """

    def __init__(self, message: str, *, path: str = "$") -> None:
        super().__init__(message)
        self.path = path


class TooManyReportsError(MalformedReportError):
    """The body holds more reports than one request may."""


class ReportsRefusedError(TelemetryError):
    """None of the reports could be taken; `rejected` says why, report by report."""

    def __init__(self, rejected: Sequence[Mapping[str, str]]) -> None:
        reasons = sorted({f"{item['reason']} ({item['detail']})" for item in rejected})
        super().__init__(f"none of {len(rejected)} reports was stored: " + "; ".join(reasons[:5]))
        self.rejected = tuple(rejected)


class UnknownDeviceError(TelemetryError):
    """No such device."""

    def __init__(self, device_id: str) -> None:
        super().__init__(f"no device {device_id}")
        self.device_id = device_id


class DeviceExistsError(TelemetryError):
    """The device is registered already."""

    def __init__(self, device_id: str) -> None:
        super().__init__(f"device {device_id} is registered already")
        self.device_id = device_id


class UnknownIncidentError(TelemetryError):
    """No such incident."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(f"no incident {incident_id}")
        self.incident_id = incident_id


class ForbiddenTransitionError(TelemetryError):
    """An incident cannot pass from its status to the wanted one."""

    def __init__(self, incident_id: str, current: str, wanted: str) -> None:
        super().__init__(f"incident {incident_id} cannot pass from {current} to {wanted}")
        self.incident_id = incident_id
        self.current = current
        self.wanted = wanted


class IncidentClosedError(TelemetryError):
    """The incident is closed."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(f"incident {incident_id} is closed: its class can no longer be changed")
        self.incident_id = incident_id


class ClassChangedError(TelemetryError):
    """Somebody else has changed an incident's class meanwhile; `by_whom` is None if no person."""

    def __init__(self, incident_id: str, current: str, by_whom: str | None) -> None:
        super().__init__(
            f"{by_whom or 'the system'} says meanwhile that incident {incident_id} is {current};"
            " look at it again, and correct that if it is wrong"
        )
        self.incident_id = incident_id
        self.current = current
        self.by_whom = by_whom


class TooManyStatementsError(TelemetryError):
    """People went to and fro about an incident's class too often."""

    def __init__(self, incident_id: str, n_statements: int) -> None:
        super().__init__(
            f"{n_statements} times people have said what incident {incident_id} is; agree with each"
            " other, or close it"
        )
        self.incident_id = incident_id


class SimulationError(TelemetryError):
    """No fleet can be simulated with these parameters."""

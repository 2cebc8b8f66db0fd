# SPDX-License-Identifier: Apache-2.0
"""Errors of the kernel: KernelError and, below it, one class per cause."""


class KernelError(Exception):
    """The ground of the service failed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__class__.__doc__)


class SettingsError(KernelError):
    """The settings cannot be used."""


class QueryFileError(KernelError):
    """A file of named queries is malformed."""


class MigrationError(KernelError):
    """The database schema cannot be brought up to date."""


class EmbeddedPostgresError(KernelError):
    """The embedded PostgreSQL cannot be used."""


class KeyStoreError(KernelError):
    """A key cannot be read, made or trusted."""

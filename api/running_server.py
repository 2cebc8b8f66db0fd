# SPDX-License-Identifier: Apache-2.0
"""Where the server of a data folder answers, as other commands of that folder need to know it.

`eucora up` may have been given another port than they. It states its address in the file that it
holds locked while it runs; what stands in a file that nobody holds is of a run that has ended, and
then the settings say where a server of this folder would be.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from api.errors import ApiError
from kernel.postmaster import FileLock
from kernel.settings import Settings

ANSWER_SECONDS = 10.0
LOOK_SECONDS = 0.1  # who looks whether the file is held holds it for an instant
ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - what a server may be told; nothing is bound
_FILE_NAME = "up.lock"


class RunsAlreadyError(ApiError):
    """EUCORA already runs on this data folder."""


class NoAnswerError(ApiError):
    """No server of this data folder answers."""


@contextmanager
def stating_address(settings: Settings) -> Iterator[None]:
    """Hold the place of the only supervisor of a data folder; a killed one has given it up.

    Raises:
        RunsAlreadyError: another one holds it.

    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(_path(settings))
    if not _acquire(lock):
        address = lock.path.read_text() or "its port is not known yet"
        raise RunsAlreadyError(f"EUCORA already runs here ({address}), on {settings.data_dir}")
    try:
        lock.path.write_text(address_in(settings))
        yield
    finally:
        lock.release()


def address_in(settings: Settings) -> str:
    """Return the address at which people on this machine reach the server of these settings."""
    host = "127.0.0.1" if settings.host in ANY_ADDRESS else settings.host
    return f"http://{host}:{settings.port}"


def find_address(settings: Settings) -> str:
    """Return where the server of this data folder is: as `eucora up` states it, if that runs."""
    path = _path(settings)
    if path.exists():
        lock = FileLock(path)
        is_free = lock.try_acquire(shared=True)
        lock.release()
        if not is_free and (stated := path.read_text()):
            return stated
    return address_in(settings)


def find_server(settings: Settings) -> str:
    """Return the address of this data folder's server, which is up.

    Raises:
        NoAnswerError: nobody answers there, or it is not ready.

    """
    address = find_address(settings)
    try:
        httpx.get(f"{address}/readyz", timeout=ANSWER_SECONDS).raise_for_status()
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        raise NoAnswerError(
            f"the server at {address} is not ready ({code} from /readyz): wait until `eucora up`"
            f" says ready, or see {settings.data_dir / 'logs'}"
        ) from error
    except httpx.HTTPError as error:
        raise NoAnswerError(
            f"nobody answers at {address}: start `eucora up` in another terminal first"
        ) from error
    return address


def _acquire(lock: FileLock) -> bool:
    if lock.try_acquire(shared=False):
        return True
    time.sleep(LOOK_SECONDS)
    return lock.try_acquire(shared=False)


def _path(settings: Settings) -> Path:
    return settings.data_dir / _FILE_NAME

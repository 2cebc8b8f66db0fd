# SPDX-License-Identifier: Apache-2.0
"""Reachability and quality of the network, as this device sees it.

Only probes that cost next to nothing: a name lookup, one connection to a configured proxy, counter
differences. `clock_offset_seconds` is this device's clock minus the server's.
"""

import os
import socket
import sys
import time
from collections import deque
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from contracts.telemetry import Network

PROBE_TIMEOUT_SECONDS = 2.0
_VPN_PREFIXES = ("tun", "tap", "wg", "ppp", "utun", "ipsec", "tailscale")
_WIRELESS = Path("/proc/net/wireless")
_LINK_LOCAL = "169.254."


class NetworkObserver:
    """Keeps the last name lookups and counters to compare with."""

    def __init__(self, dns_probe_name: str | None, proxy: str | None = None) -> None:
        self._dns_probe_name = dns_probe_name
        self._proxy = proxy or os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
        self._lookups: deque[bool] = deque(maxlen=5)
        self._bytes: tuple[float, int, int] | None = None
        self._vpn_seen = False

    def probe(self, dns_probe_name: str | None) -> None:
        """Look up this name from now on; another name's failures do not count for it."""
        if dns_probe_name != self._dns_probe_name:
            self._dns_probe_name = dns_probe_name
            self._lookups.clear()

    def observe(self, clock_offset_seconds: float | None) -> Network:
        """Return the present state; rates cover the time since the previous call."""
        received_rate, sent_rate = self._rates()
        latency_ms = self._look_up()
        n_failures = len(self._lookups) - sum(self._lookups)
        return Network(
            dns_latency_ms=latency_ms,
            dns_failure_percent=100 * n_failures / len(self._lookups) if self._lookups else None,
            wifi_signal_dbm=_observe_wifi(),
            vpn_connected=self._observe_vpn(),
            dhcp_lease_valid=_has_usable_address(),
            proxy_reachable=_is_reachable(self._proxy) if self._proxy else None,
            clock_offset_seconds=clock_offset_seconds,
            received_bytes_per_second=received_rate,
            sent_bytes_per_second=sent_rate,
        )

    def _look_up(self) -> float | None:
        if not self._dns_probe_name:
            return None
        started = time.monotonic()
        try:
            socket.getaddrinfo(self._dns_probe_name, None)
        except (OSError, UnicodeError):
            self._lookups.append(False)
            return None
        self._lookups.append(True)
        return round(1000 * (time.monotonic() - started), 2)

    def _rates(self) -> tuple[float | None, float | None]:
        try:
            counters = psutil.net_io_counters()
        except OSError:
            return None, None
        if counters is None:
            return None, None
        now, before = time.monotonic(), self._bytes
        self._bytes = (now, counters.bytes_recv, counters.bytes_sent)
        if before is None or now <= before[0]:
            return None, None
        elapsed = now - before[0]
        return (
            round(max(0, counters.bytes_recv - before[1]) / elapsed, 1),
            round(max(0, counters.bytes_sent - before[2]) / elapsed, 1),
        )

    def _observe_vpn(self) -> bool | None:
        """Tell whether a tunnel is up; None on a device that never had one."""
        tunnels = [
            state.isup
            for name, state in psutil.net_if_stats().items()
            if name.startswith(_VPN_PREFIXES)
        ]
        # macOS keeps idle utun interfaces up: there an interface proves nothing.
        if sys.platform == "darwin":
            return None
        self._vpn_seen = self._vpn_seen or any(tunnels)
        return any(tunnels) if self._vpn_seen else None


def _observe_wifi() -> float | None:
    """Return the signal level of the first wireless interface (proc_net_wireless, column 4)."""
    try:
        lines = _WIRELESS.read_text().splitlines()[2:]
        levels = [float(line.split()[3].rstrip(".")) for line in lines]
    except (OSError, IndexError, ValueError):
        return None
    usable = [level for level in levels if -130 <= level <= 0]
    return usable[0] if usable else None


def _has_usable_address() -> bool | None:
    """Tell an interface that only got a link-local IPv4 address (RFC 3927) from a leased one."""
    addresses = [
        entry.address
        for name, entries in psutil.net_if_addrs().items()
        if not name.startswith("lo")
        for entry in entries
        if entry.family == socket.AF_INET and not entry.address.startswith("127.")
    ]
    if not addresses:
        return None
    return not all(address.startswith(_LINK_LOCAL) for address in addresses)


def _is_reachable(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
        address = (parts.hostname or "", parts.port or 8080)
        with socket.create_connection(address, timeout=PROBE_TIMEOUT_SECONDS):
            return True
    except (OSError, ValueError):
        return False

# SPDX-License-Identifier: Apache-2.0
"""The closed list of failure classes that models, articles and scripts speak of."""

from enum import StrEnum


class FailureClass(StrEnum):
    """What is wrong with a device, as far as a helpdesk distinguishes it."""

    DISK_FULL = "disk_full"
    RUNAWAY_PROCESS = "runaway_process"
    MEMORY_LEAK = "memory_leak"
    THERMAL = "thermal"
    BATTERY = "battery"
    DNS = "dns"
    PROXY = "proxy"
    WIFI_VPN = "wifi_vpn"
    DHCP = "dhcp"
    TIME_SKEW = "time_skew"
    PRINTING = "printing"
    MAIL_CLIENT = "mail_client"
    CHAT_CLIENT = "chat_client"
    SYNC_CLIENT = "sync_client"
    OS_UPDATE = "os_update"
    PACKAGE_STATE = "package_state"
    CERTIFICATE = "certificate"
    DISK_HEALTH = "disk_health"
    DISK_ENCRYPTION = "disk_encryption"
    SECURITY_AGENT_OFF = "security_agent_off"
    SLOW_LOGON = "slow_logon"
    APP_CRASH = "app_crash"
    AUDIO_VIDEO = "audio_video"
    BROWSER = "browser"
    SERVICE_DOWN = "service_down"
    CREDENTIALS = "credentials"
    SICK_AGENT = "sick_agent"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """S1 stops people from working, S2 slows them down, S3 can wait."""

    S1 = "S1"
    S2 = "S2"
    S3 = "S3"

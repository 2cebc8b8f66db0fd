# SPDX-License-Identifier: Apache-2.0
# windows-enable-antivirus, verify: exit 0 when the repair holds on this device.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
trap { Write-Host ('unexpected failure: ' + $_.Exception.Message); exit 3 }

# Ends the step with an error that is neither "fault present" nor "fault absent".
function Stop-Step {
    param([string]$Message)
    Write-Host $Message
    exit 2
}

# Returns whether Defender runs and watches in real time.
function Test-Protection {
    try {
        $status = Get-MpComputerStatus
        return ([bool]$status.AMServiceEnabled -and [bool]$status.RealTimeProtectionEnabled)
    } catch {
        return $false
    }
}

for ($attempt = 0; $attempt -lt 15; $attempt++) {
    if (Test-Protection) {
        Write-Host 'Defender protects this device'
        exit 0
    }
    Start-Sleep -Seconds 2
}
Stop-Step 'real-time protection stays off: look for a policy, and tell security'

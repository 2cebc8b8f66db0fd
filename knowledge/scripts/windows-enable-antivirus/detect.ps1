# SPDX-License-Identifier: Apache-2.0
# windows-enable-antivirus, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns how many other protection products are registered.
function Get-OtherProductCount {
    $products = @(Get-CimInstance -Namespace 'root/SecurityCenter2' -ClassName 'AntiVirusProduct' -ErrorAction SilentlyContinue)
    return @($products | Where-Object { $_.displayName -notmatch 'Defender' }).Count
}

if (Test-Protection) {
    Write-Host 'Defender protects this device'
    exit 1
}
if ((Get-OtherProductCount) -gt 0) { Stop-Step 'another product is registered: repair or remove it' }
Write-Host 'Defender is off'
exit 0

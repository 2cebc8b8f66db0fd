# SPDX-License-Identifier: Apache-2.0
# windows-reset-sync-client, verify: exit 0 when the repair holds on this device.
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

for ($attempt = 0; $attempt -lt 30; $attempt++) {
    if (@(Get-Process -Name 'OneDrive' -ErrorAction SilentlyContinue).Count -gt 0) {
        Write-Host 'OneDrive runs and compares its files'
        exit 0
    }
    Start-Sleep -Seconds 2
}
Stop-Step 'OneDrive does not run'

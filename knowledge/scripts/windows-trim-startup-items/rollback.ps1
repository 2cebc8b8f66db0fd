# SPDX-License-Identifier: Apache-2.0
# windows-trim-startup-items, rollback: puts back what the repair changed.
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

# Returns the file of this name in the private folder that all steps of the job share.
function Get-StatePath {
    param([string]$Name)
    $folder = [Environment]::GetEnvironmentVariable('EUCORA_STATE_DIR')
    if ([string]::IsNullOrEmpty($folder)) { Stop-Step 'EUCORA_STATE_DIR is not set' }
    if (-not (Test-Path -LiteralPath $folder -PathType Container)) {
        Stop-Step 'the state folder does not exist'
    }
    return (Join-Path -Path $folder -ChildPath $Name)
}

$stateFile = Get-StatePath -Name 'entries.txt'
if (Test-Path -LiteralPath $stateFile) {
    [byte[]]$enabled = 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    foreach ($line in @(Get-Content -LiteralPath $stateFile -Encoding UTF8)) {
        $parts = $line.Split([char]9)
        if ($parts.Count -ne 2 -or -not (Test-Path -LiteralPath $parts[0])) { continue }
        Set-ItemProperty -LiteralPath $parts[0] -Name $parts[1] -Value $enabled -Type Binary
        Write-Host ('enabled the start-up entry ' + $parts[1])
    }
}
exit 0

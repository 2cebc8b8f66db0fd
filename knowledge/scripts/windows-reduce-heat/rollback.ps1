# SPDX-License-Identifier: Apache-2.0
# windows-reduce-heat, rollback: puts back what the repair changed.
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

# Sets the maximum processor state of the active plan and applies it.
function Set-ProcessorLimit {
    param([int]$Mains, [int]$Battery)
    powercfg.exe /setacvalueindex scheme_current sub_processor PROCTHROTTLEMAX $Mains
    if ($LASTEXITCODE -ne 0) { Stop-Step 'the limit on mains cannot be set' }
    powercfg.exe /setdcvalueindex scheme_current sub_processor PROCTHROTTLEMAX $Battery
    if ($LASTEXITCODE -ne 0) { Stop-Step 'the limit on battery cannot be set' }
    powercfg.exe /setactive scheme_current
    if ($LASTEXITCODE -ne 0) { Stop-Step 'the power plan cannot be applied' }
    Write-Host "the processor is limited to $Mains % on mains and $Battery % on battery"
}

$stateFile = Get-StatePath -Name 'limits.txt'
if (Test-Path -LiteralPath $stateFile) {
    $text = ([string](Get-Content -LiteralPath $stateFile -TotalCount 1)).Trim()
    if ($text -notmatch '\A[0-9]{1,3} [0-9]{1,3}\z') { Stop-Step 'the noted limits are damaged' }
    $values = $text.Split(' ')
    Set-ProcessorLimit -Mains ([int]$values[0]) -Battery ([int]$values[1])
}
exit 0

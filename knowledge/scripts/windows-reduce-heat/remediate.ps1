# SPDX-License-Identifier: Apache-2.0
# windows-reduce-heat, remediate: repairs the fault; running it twice is harmless.
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

# Returns the value of a whole-number parameter, or its default when it was not handed over.
function Get-IntegerParameter {
    param([string]$Name, [int]$Default, [int]$Minimum, [int]$Maximum)
    $text = [Environment]::GetEnvironmentVariable('EUCORA_PARAM_' + $Name.ToUpperInvariant())
    if ([string]::IsNullOrEmpty($text)) { return $Default }
    if ($text -notmatch '\A[0-9]{1,9}\z') { Stop-Step "parameter $Name is not a whole number" }
    $number = [int]$text
    if ($number -lt $Minimum -or $number -gt $Maximum) {
        Stop-Step "parameter $Name must be $Minimum to $Maximum"
    }
    return $number
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

# Returns the maximum processor state of the active plan: on mains and on battery.
function Get-ProcessorLimit {
    $found = @()
    foreach ($line in @(powercfg.exe /query scheme_current sub_processor PROCTHROTTLEMAX)) {
        $match = [regex]::Match($line, ':\s*0x([0-9a-fA-F]{8})\s*\z')
        if ($match.Success) { $found += [Convert]::ToInt32($match.Groups[1].Value, 16) }
    }
    if ($found.Count -lt 2) { Stop-Step 'the power plan cannot be read' }
    return $found[($found.Count - 2)..($found.Count - 1)]
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

$limit = Get-IntegerParameter -Name 'maximum_percent' -Default 95 -Minimum 50 -Maximum 99

$present = @(Get-ProcessorLimit)
$stateFile = Get-StatePath -Name 'limits.txt'
if (-not (Test-Path -LiteralPath $stateFile)) {
    Set-Content -LiteralPath $stateFile -Value "$($present[0]) $($present[1])" -Encoding ASCII
}
Set-ProcessorLimit -Mains ([Math]::Min($present[0], $limit)) -Battery ([Math]::Min($present[1], $limit))
exit 0

# SPDX-License-Identifier: Apache-2.0
# windows-clear-print-queue, verify: exit 0 when the repair holds on this device.
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

# Returns the service of this name, or nothing when it is not installed.
function Get-InstalledService {
    param([string]$Name)
    return (Get-Service -Name $Name -ErrorAction SilentlyContinue)
}

# Returns whether the service reaches the state within the given time.
function Wait-ServiceState {
    param([string]$Name, [string]$State, [int]$Seconds)
    for ($attempt = 0; $attempt -lt $Seconds; $attempt++) {
        $service = Get-InstalledService -Name $Name
        if ($null -ne $service -and [string]$service.Status -eq $State) { return $true }
        Start-Sleep -Seconds 1
    }
    return $false
}

$age = Get-IntegerParameter -Name 'age_minutes' -Default 10 -Minimum 0 -Maximum 10080
$before = (Get-Date).AddMinutes(-$age)
$kept = Get-StatePath -Name 'jobs'

if (-not (Wait-ServiceState -Name 'Spooler' -State 'Running' -Seconds 10)) {
    Stop-Step 'the print spooler does not run'
}
Write-Host 'the print spooler runs'
exit 0

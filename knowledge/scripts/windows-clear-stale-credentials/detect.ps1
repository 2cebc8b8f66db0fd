# SPDX-License-Identifier: Apache-2.0
# windows-clear-stale-credentials, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Returns the value of a text parameter after matching all of it against a pattern.
function Get-TextParameter {
    param([string]$Name, [string]$Default, [string]$Pattern)
    $text = [Environment]::GetEnvironmentVariable('EUCORA_PARAM_' + $Name.ToUpperInvariant())
    if ([string]::IsNullOrEmpty($text)) { $text = $Default }
    if ($text -cnotmatch $Pattern) { Stop-Step "parameter $Name is malformed" }
    return $text
}

# Returns the names of the stored sign-ins of the wanted kind.
function Get-StoredTarget {
    param([string]$Kind)
    $prefixes = @{
        'office' = 'MicrosoftOffice1'
        'onedrive' = 'OneDrive Cached Credential'
        'remote_desktop' = 'TERMSRV/'
    }
    foreach ($line in @(cmdkey.exe /list)) {
        $match = [regex]::Match($line, 'target=(\S.{0,300}?)\s*\z')
        if (-not $match.Success) { continue }
        $target = $match.Groups[1].Value
        if ($target.StartsWith($prefixes[$Kind], [StringComparison]::OrdinalIgnoreCase)) { $target }
    }
}

$kind = Get-TextParameter -Name 'kind' -Default 'office' -Pattern '\A(office|onedrive|remote_desktop)\z'

$targets = @(Get-StoredTarget -Kind $kind)
Write-Host "$($targets.Count) stored sign-ins of the kind $kind were found"
if ($targets.Count -eq 0) { exit 1 }
exit 0

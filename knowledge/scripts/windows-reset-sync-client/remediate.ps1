# SPDX-License-Identifier: Apache-2.0
# windows-reset-sync-client, remediate: repairs the fault; running it twice is harmless.
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

# Returns the program file of OneDrive, or an empty text when it is not installed.
function Get-SyncProgram {
    $bases = @(
        (Join-Path -Path ([Environment]::GetFolderPath('ProgramFiles')) -ChildPath 'Microsoft OneDrive'),
        (Join-Path -Path ([Environment]::GetFolderPath('LocalApplicationData')) -ChildPath 'Microsoft\OneDrive')
    )
    foreach ($base in $bases) {
        $file = Join-Path -Path $base -ChildPath 'OneDrive.exe'
        if (Test-Path -LiteralPath $file -PathType Leaf) { return $file }
    }
    return ''
}

$program = Get-SyncProgram
if ($program -eq '') { Stop-Step 'OneDrive is not installed for this user' }
$reset = Start-Process -FilePath $program -ArgumentList '/reset' -PassThru
if (-not $reset.WaitForExit(60000)) { Stop-Step 'OneDrive did not finish its reset' }
Write-Host 'the state of OneDrive was reset'
Start-Sleep -Seconds 5
if (@(Get-Process -Name 'OneDrive' -ErrorAction SilentlyContinue).Count -eq 0) {
    Start-Process -FilePath $program -ArgumentList '/background'
    Write-Host 'OneDrive was started'
}
exit 0

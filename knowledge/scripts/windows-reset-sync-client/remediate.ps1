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

$forAll = Join-Path -Path ([Environment]::GetFolderPath('ProgramFiles')) -ChildPath 'Microsoft OneDrive\OneDrive.exe'
$forUser = Join-Path -Path ([Environment]::GetFolderPath('LocalApplicationData')) -ChildPath 'Microsoft\OneDrive\OneDrive.exe'
$isForAll = Test-Path -LiteralPath $forAll -PathType Leaf
if (-not $isForAll -and -not (Test-Path -LiteralPath $forUser -PathType Leaf)) {
    Stop-Step 'OneDrive is not installed for this user'
}
if ($isForAll) {
    $reset = Start-Process -FilePath $forAll -ArgumentList '/reset' -PassThru
} else {
    $reset = Start-Process -FilePath $forUser -ArgumentList '/reset' -PassThru
}
if (-not $reset.WaitForExit(60000)) { Stop-Step 'OneDrive did not finish its reset' }
Write-Host 'the state of OneDrive was reset'
Start-Sleep -Seconds 5
if (@(Get-Process -Name 'OneDrive' -ErrorAction SilentlyContinue).Count -eq 0) {
    if ($isForAll) {
        Start-Process -FilePath $forAll -ArgumentList '/background'
    } else {
        Start-Process -FilePath $forUser -ArgumentList '/background'
    }
    Write-Host 'OneDrive was started'
}
exit 0

# SPDX-License-Identifier: Apache-2.0
# windows-reset-sync-client, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
trap { Write-Host ('unexpected failure: ' + $_.Exception.Message); exit 3 }

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

# Returns how many accounts the signed-in user has linked.
function Get-LinkedAccountCount {
    $key = 'Registry::HKEY_CURRENT_USER\Software\Microsoft\OneDrive\Accounts'
    if (-not (Test-Path -LiteralPath $key)) { return 0 }
    $linked = 0
    foreach ($account in @(Get-ChildItem -LiteralPath $key)) {
        if ($account.GetValue('UserFolder', '')) { $linked++ }
    }
    return $linked
}

$program = Get-SyncProgram
$linked = Get-LinkedAccountCount
Write-Host "OneDrive has $linked linked accounts"
if ($program -eq '' -or $linked -eq 0) { exit 1 }
exit 0

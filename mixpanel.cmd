@echo off
rem The program mixpanel of this clone: built by eng\launch.ps1 when its sources have changed, and run with these arguments as they are.
setlocal
set "launch=%~dp0artifacts\launch"
powershell -NoProfile -ExecutionPolicy Bypass -File "%~dp0eng\launch.ps1" 1>&2 <nul
if errorlevel 1 exit /b 2
<"%launch%\current" (
  set /p "build="
  set /p "dotnet="
)
"%dotnet%" "%launch%\%build%\mixpanel.dll" %*
exit /b %errorlevel%

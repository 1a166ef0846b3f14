using System.Diagnostics;

namespace MixpanelConnector.EndToEnd;

/// <summary>The script mixpanel in the root of a clone, with a fake dotnet that only records its arguments.</summary>
public sealed class LauncherTests : IDisposable
{
    readonly Home _home = new();

    public LauncherTests()
    {
        foreach (var file in (string[])
        [
            "mixpanel",
            "eng/launch.sh",
            "eng/sdk.sh",
            "global.json",
            "Directory.Build.props",
            "Directory.Build.targets",
            "Directory.Packages.props",
        ])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Clone(file))!);
            File.Copy(Repository.File(file), Clone(file));
        }

        Directory.CreateDirectory(Clone("src/MixpanelConnector.Tool"));
        File.WriteAllText(Clone("src/MixpanelConnector.Tool/Program.cs"), "one");
        WriteDotnet(_home.File("sdk"));
    }

    [Fact]
    public async Task It_builds_once_and_again_only_when_a_source_has_changed()
    {
        foreach (var (change, builds) in new (Action, int)[]
        {
            (() => { }, 1),
            (() => { }, 1),
            (() => File.WriteAllText(Clone("src/MixpanelConnector.Tool/Program.cs"), "two"), 2),
            (() => { }, 2),
            (() => File.WriteAllText(Clone("src/MixpanelConnector.Tool/New.cs"), ""), 3),
            (() => File.Delete(Clone("src/MixpanelConnector.Tool/New.cs")), 4),
            (() => File.AppendAllText(Clone("Directory.Packages.props"), " "), 5),
            (() => File.SetLastWriteTimeUtc(Clone("src/MixpanelConnector.Tool/Program.cs"), DateTime.UnixEpoch), 6), // as from an archive
            (() => { }, 6),
        })
        {
            change();
            var done = await LaunchAsync(["--version"]);
            Assert.True(done.ExitCode == 0, done.ToString());
            Assert.Equal(builds, Builds());
        }
    }

    [Fact]
    public async Task Arguments_input_output_and_the_exit_code_are_passed_through_and_what_is_said_of_the_build_is_no_output()
    {
        string[] arguments = ["import", "", "a b", "*", "$HOME", "\"q\"", "it's", "line\nbreak", "{\"a\":[1]}", "--x=y"];
        var done = await LaunchAsync(arguments, new Dictionary<string, string>(StringComparer.Ordinal) { ["EXIT"] = "143" });

        Assert.Equal(143, done.ExitCode);
        Assert.Equal(string.Concat(arguments.Select(argument => $"<{argument}>")) + "\n", done.Output);
        Assert.Contains("Building", done.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Building", (await LaunchAsync(arguments)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_works_from_any_folder_and_through_links()
    {
        Directory.CreateDirectory(_home.File("bin"));
        File.CreateSymbolicLink(_home.File("bin/relative"), "../clone/mixpanel");
        File.CreateSymbolicLink(_home.File("bin/mx"), "relative");
        File.CreateSymbolicLink(_home.File("bin/absolute"), Clone("mixpanel"));
        foreach (var command in (string[])
        [
            Clone("mixpanel"),
            "bin/mx",
            "./bin/absolute",
            "sh bin/relative",
            "cd bin; sh mx",
            "cd clone/src; ../mixpanel",
            "PATH=\"$PWD/bin:$PATH\"; mx",
        ])
        {
            using var shell = Run.Start("sh", ["-c", $"cd \"$PLACE\"; {command.Replace(_home.Path, "$PLACE", StringComparison.Ordinal)} ok"], _home, With([]));
            var done = await Run.EndAsync(shell);
            Assert.True(done.Output == "<ok>\n", $"{command}\n{done}");
        }

        Assert.Equal(1, Builds());
    }

    [Fact]
    public async Task It_is_the_process_that_runs_so_that_a_signal_reaches_it()
    {
        await LaunchAsync([]);
        using var process = Run.Start(Clone("mixpanel"), ["wait"], _home, With([]));
        Assert.Equal($"{process.Id}", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await TerminateAsync(process);
        Assert.Equal(42, (await Run.EndAsync(process)).ExitCode);
    }

    [Fact]
    public async Task Two_at_once_build_once_and_both_run()
    {
        var both = await Task.WhenAll(LaunchAsync(["one"]), LaunchAsync(["two"]), LaunchAsync(["three"]));
        Assert.Equal(["<one>\n", "<two>\n", "<three>\n"], both.Select(done => done.Output), StringComparer.Ordinal);
        Assert.Equal(1, Builds());
    }

    [Fact]
    public async Task What_was_built_after_a_look_is_not_built_again()
    {
        await LaunchAsync([]);
        using var late = Run.Start("sh", [Clone("eng/launch.sh"), Clone(""), ""], _home, With([])); // another process has looked before there was any build
        Assert.Equal(0, (await Run.EndAsync(late)).ExitCode);
        Assert.Equal(1, Builds());
    }

    [Fact]
    public async Task What_runs_keeps_its_build_while_another_one_is_made()
    {
        await LaunchAsync([]);
        using var process = Run.Start(Clone("mixpanel"), ["wait"], _home, With([]));
        await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        for (var i = 0; i < 2; i++)
        {
            await File.WriteAllTextAsync(Clone("src/MixpanelConnector.Tool/Program.cs"), $"{i}", TestContext.Current.CancellationToken);
            await LaunchAsync([]);
        }

        Assert.Equal(2, Directory.GetDirectories(Clone("artifacts/launch"), "run-*").Length); // the one in use, and the latest
        await TerminateAsync(process);
        await Run.EndAsync(process);
    }

    [Fact]
    public async Task A_build_that_fails_is_shown_and_nothing_runs()
    {
        var done = await LaunchAsync(["x"], new Dictionary<string, string>(StringComparer.Ordinal) { ["BUILD_FAILS"] = "1" });
        Assert.Equal((2, ""), (done.ExitCode, done.Output));
        Assert.Contains("error CS0000", done.Error, StringComparison.Ordinal);
        Assert.Equal("<x>\n", (await LaunchAsync(["x"])).Output);
    }

    [Fact]
    public async Task A_machine_without_an_SDK_gets_the_pinned_one_into_the_clone_after_it_was_said()
    {
        WriteDotnet(_home.File("downloaded"));
        WriteProgram(_home.File("fresh/curl"), """
            while [ $# -gt 1 ]; do [ "$1" = -o ] && out=$2; shift; done
            [ "$1" = https://dot.net/v1/dotnet-install.sh ] || exit 22
            printf '%s\n' 'while [ $# -gt 1 ]; do case $1 in --version) version=$2 ;; --install-dir) dir=$2 ;; esac; shift; done; mkdir -p $dir; cp "$PLACE/downloaded/dotnet" $dir/dotnet; echo $version > $dir/version' > "$out"
            """);
        var fresh =
            With(new Dictionary<string, string>(StringComparer.Ordinal) { ["PATH"] = $"{_home.File("fresh")}:/usr/bin:/bin", ["WITHOUT_DOTNET"] = "1" });
        WriteProgram(_home.File("fresh/dotnet"), "exit 1"); // an SDK that does not fit

        using var process = Run.Start(Clone("mixpanel"), ["x"], _home, fresh);
        var done = await Run.EndAsync(process);

        Assert.True(done.Output == "<x>\n", done.ToString());
        var pinned = System.Text.Json.JsonElement.Parse(await File.ReadAllTextAsync(Repository.File("global.json"), TestContext.Current.CancellationToken))
            .GetProperty("sdk")
            .GetProperty("version").GetString();
        Assert.Equal(pinned + "\n", await File.ReadAllTextAsync(Clone(".dotnet/version"), TestContext.Current.CancellationToken));
        Assert.Contains($"installing {pinned} into", done.Error, StringComparison.Ordinal);
        using var again = Run.Start(Clone("mixpanel"), ["y"], _home, fresh);
        Assert.Equal(new Finished(0, "<y>\n", ""), await Run.EndAsync(again));
    }

    public void Dispose() => _home.Dispose();

    static async Task TerminateAsync(Process process)
    {
        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    string Clone(string file) => Path.Combine(_home.Path, "clone", file);

    int Builds() => File.ReadAllLines(_home.File("builds")).Length;

    async Task<Finished> LaunchAsync(string[] arguments, Dictionary<string, string>? environment = null)
    {
        using var process = Run.Start(Clone("mixpanel"), arguments, _home, With(environment ?? []));
        return await Run.EndAsync(process);
    }

    Dictionary<string, string> With(Dictionary<string, string> environment) =>
        new(environment, StringComparer.Ordinal)
        {
            ["PLACE"] = _home.Path,
            ["PATH"] = environment.GetValueOrDefault("PATH", $"{_home.File("sdk")}:/usr/bin:/bin"),
        };

    void WriteDotnet(string folder) => WriteProgram(Path.Combine(folder, "dotnet"), """
        case $1 in
          --version) echo 10 ;;
          build)
            [ -z "${BUILD_FAILS:-}" ] || { echo "Program.cs(1,1): error CS0000"; exit 1; }
            echo build >> "$PLACE/builds"
            while [ $# -gt 1 ]; do [ "$1" = --artifacts-path ] && out=$2; shift; done
            mkdir -p "$out/bin/MixpanelConnector.Tool/release" && echo dll > "$out/bin/MixpanelConnector.Tool/release/mixpanel.dll" ;;
          */mixpanel.dll)
            [ -f "$1" ] || exit 9
            shift
            if [ "${1:-}" = wait ]; then trap 'exit 42' TERM; echo $$; read -r line; exit 7; fi
            for argument; do printf '<%s>' "$argument"; done
            echo
            exit "${EXIT:-0}" ;;
        esac
        """);

    static void WriteProgram(string path, string script)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "#!/bin/sh\n" + script + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}

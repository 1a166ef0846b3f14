using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>The faults that <c>faults.c</c> injects into one process, and the operations it counted there.</summary>
sealed class Shim(Scene scene)
{
    public const int InputOutputError = 5, NoSpace = 28, QuotaExceeded = 122;

    static readonly Lazy<string> Library = new(Compile);

    readonly string _book = MakeBook(scene);
    readonly string _log = scene.File($"{Guid.NewGuid():N}.log");

    /// <summary>The operation before which the process is killed; 0 for none.</summary>
    public long KillAt { get; init; }

    /// <summary>Whether only half of the last write before a kill is done.</summary>
    public bool Tear { get; init; }

    /// <summary>Such as <c>sync:1:5</c>; see <c>faults.c</c>.</summary>
    public string? Fail { get; init; }

    /// <summary>The suffix of the paths whose operations may fail.</summary>
    public string? FailFile { get; init; }

    /// <summary>The folder for the synced content of each file.</summary>
    public string? Shadow { get; init; }

    /// <summary>Such as <c>jump:3:86400</c>.</summary>
    public string? Clock { get; init; }

    public long Operations => Counter(0);

    public long Syncs => Counter(1);

    public long Failures => Counter(4);

    /// <summary>Each operation so far: its name, its file and its error.</summary>
    public IReadOnlyList<(string Name, string File, int Error)> Log =>
        !File.Exists(_log)
            ? []
            :
            [
                .. File.ReadAllLines(_log)
                    .Select(line => line.Split(' '))
                    .Select(words => (words[0], string.Join(' ', words[1..^1]), int.Parse(words[^1], CultureInfo.InvariantCulture))),
            ];

    public IEnumerable<KeyValuePair<string, string>> Environment
    {
        get
        {
            yield return new("LD_PRELOAD", Library.Value);
            yield return new("FAULTS_UNDER", scene.Folder);
            yield return new("FAULTS_BOOK", _book);
            yield return new("FAULTS_LOG", _log);
            if (KillAt > 0) yield return new("FAULTS_KILL_AT", KillAt.ToString(CultureInfo.InvariantCulture));
            if (Tear) yield return new("FAULTS_TEAR", "1");
            if (Fail is not null) yield return new("FAULTS_FAIL", Fail);
            if (FailFile is not null) yield return new("FAULTS_FAIL_FILE", FailFile);
            if (Shadow is not null) yield return new("FAULTS_SHADOW", Shadow);
            if (Clock is not null) yield return new("FAULTS_CLOCK", Clock);
        }
    }

    long Counter(int index)
    {
        using var book = new FileStream(_book, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Span<byte> bytes = stackalloc byte[8];
        book.Position = index * bytes.Length;
        book.ReadExactly(bytes);
        return BinaryPrimitives.ReadInt64LittleEndian(bytes);
    }

    static string MakeBook(Scene scene)
    {
        var path = scene.File($"{Guid.NewGuid():N}.book");
        File.WriteAllBytes(path, new byte[64]);
        return path;
    }

    static string Compile()
    {
        var library = Path.Combine(AppContext.BaseDirectory, $"faults-{System.Environment.ProcessId}.so");
        using var gcc = Process.Start("gcc",
            ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, Path.Combine(AppContext.BaseDirectory, "Shim", "faults.c"), "-ldl"]);
        gcc.WaitForExit();
        Assert.Equal(0, gcc.ExitCode);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(library);
        return library;
    }
}

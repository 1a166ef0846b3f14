using System.Globalization;

namespace MixpanelConnector.Import.Source;

/// <summary>A file in an archive.</summary>
/// <param name="Name">Its path in the archive.</param>
/// <param name="Length">Its size in the archive, in bytes.</param>
/// <param name="Fault">Why it cannot be read; null when it can.</param>
/// <param name="Open">Opens it.</param>
readonly record struct ArchivedFile(string Name, long Length, string? Fault, Func<ByteSource> Open);

/// <summary>The files in an archive as inputs, each with its own place.</summary>
static class ArchivedFiles
{
    /// <summary>The maximum number of files read from an archive.</summary>
    public const int Most = 100_000;

    /// <summary>The inputs in an archive, ordered by name.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="files">The files in it.</param>
    /// <param name="most">The maximum decompressed size of all its files together, in bytes; null for no limit.</param>
    public static IEnumerable<InputFile> Inputs(InputFile archive, IReadOnlyCollection<ArchivedFile> files, long? most)
    {
        var limit = most is { } bytes ? new DecompressionLimit(bytes) : null;
        var place = archive.Place;
        var names = files.Select(file => file.Name).ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var number = 1;
        return
        [
            .. files.Where(file => !file.Name.EndsWith('/') && !IsHidden(file.Name)).OrderBy(file => file.Name, StringComparer.Ordinal).Select(file =>
            {
                var isFirst = seen.Add(file.Name);
                var name = isFirst ? file.Name : Another(file.Name);
                var relative = $"{archive.Relative}/{file.Name}";
                return archive with
                {
                    Relative = relative,
                    FileName = relative,
                    Id = $"{archive.Id}/{name}",
                    Place = $"{place}/{name}",
                    Folder = null,
                    RealName = null,
                    Length = file.Length,
                    Opened = file.Open,
                    OpenedAt = null,
                    SharedLimit = limit is null ? null : new(most!.Value, limit),
                    Fault = isFirst ? file.Fault : "is in the archive twice; the first one of that name is read",
                };
            }),
        ];

        // Messages about one file must not seem to be about another with the same name.
        string Another(string name)
        {
            while (true)
                if (string.Create(CultureInfo.InvariantCulture, $"{name}#{++number}") is var other && names.Add(other)) return other;
        }
    }

    /// <summary>An unreadable archive as a single input that reports the problem.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="kind">The kind of archive, with its article.</param>
    /// <param name="cause">The problem.</param>
    public static IEnumerable<InputFile> Unreadable(InputFile archive, string kind, Exception cause) => cause is InputException e
        ? [archive with { Opened = () => throw new InputException(e.Message, e) { Outcome = e.Outcome }, OpenedAt = null }]
        : [archive with { Fault = $"is {kind} that cannot be read: {cause.Message.TrimEnd('.')}" }];

    static bool IsHidden(string name) => name.StartsWith("__MACOSX/", StringComparison.Ordinal) || Path.GetFileName(name).StartsWith('.');
}

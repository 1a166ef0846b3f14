using MixpanelConnector.Files;
using MixpanelConnector.Storage;

namespace MixpanelConnector.Import.Source;

/// <summary>One input after globs and folders were followed. There may be very many: what they have in common is held once, and paths are put together when they are needed.</summary>
/// <param name="Root">What it was found below, as the caller gave it; empty when the rest says all.</param>
/// <param name="Relative">Its path below that.</param>
/// <param name="Id">Names the source in ids and in the checkpoint, wherever its folder may lie.</param>
/// <param name="Folder">The folder that it lies in, without links; null for a stream.</param>
sealed record InputFile(string Root, string Relative, string Id, string? Folder)
{
    /// <summary>What the file is called where it lies, when it was found by a link.</summary>
    public string? RealName { get; init; }

    /// <summary>The stream, when it is not a file.</summary>
    public Stream? Stream { get; init; }

    /// <summary>Opens it, when that is not done by its path or its stream.</summary>
    public Func<ByteSource>? Opened { get; init; }

    /// <summary>Opens it from a place, when that is not done by its path; null for what gives its bytes from the first on.</summary>
    public Func<long, ByteSource>? OpenedAt { get; init; }

    /// <summary>Whether its bytes are lines as they are, whatever they begin with: neither compressed, nor in another encoding, nor another kind of file. Default: false.</summary>
    public bool IsPlain { get; init; }

    /// <summary>What the ids come from that are computed for its records. Default: <see cref="Id"/>.</summary>
    public string IdsFrom { get => field ?? Id; init; }

    /// <summary>Whether its records may have been sent before, by whoever.</summary>
    public bool MaybeSent { get; init; }

    /// <summary>Why it is refused as a whole; null when it is not.</summary>
    public RefusedInput? Refused { get; init; }

    /// <summary>Why it cannot be read, when that showed as it was found.</summary>
    public string? Fault { get; init; }

    /// <summary>The object that it is, when it lies in object storage.</summary>
    public StoredObject? Object { get; init; }

    /// <summary>Bytes as they lie there; null for a stream.</summary>
    public long? Length { get; init; }

    /// <summary>As the caller gave or found it; for messages and dead letters.</summary>
    public string Name => Root.Length == 0 ? Relative : Object is not null ? Root + Relative : System.IO.Path.Combine(Root, Relative);

    /// <summary>The name by which a mapping and an archive are told. Default: <see cref="Name"/>.</summary>
    public string FileName { get => field ?? Name; init; }

    /// <summary>Whether it gives its bytes as often as it is opened.</summary>
    public bool CanBeOpenedAgain => Object is not null || SeekablePath is not null;

    /// <summary>Where it lies on this machine; null for a stream and an object.</summary>
    public string? Path => Folder is null ? null : System.IO.Path.Join(Folder, RealName ?? System.IO.Path.GetFileName(Relative));

    /// <summary>What tells it apart from any other file: where it lies, be it at an address, or where the archive does and its name there; null for a stream.</summary>
    public string? Place { get => field ?? (Object is null ? Path : Name); init; }

    /// <summary>Where it lies, when it can be read from any place; null for what gives its bytes once, one after the other.</summary>
    public string? SeekablePath => Path is { } path && !SpecialFile.IsAt(path) ? path : null;

    /// <summary>Whether <see cref="OpenAt"/> opens it.</summary>
    public bool CanBeOpenedAnywhere => OpenedAt is not null || (Opened is null && SeekablePath is not null);

    /// <summary>Opens it from a place.</summary>
    /// <exception cref="InputException">It cannot be opened.</exception>
    public ByteSource OpenAt(long offset) => OpenedAt is { } open ? open(offset) : new FileByteSource(SeekablePath!, offset);

    /// <exception cref="InputException">It cannot be opened.</exception>
    public ByteSource Open() => Fault is not null ? throw new InputException(Fault) : Opened is not null ? Opened() : Path is not { } path ? new StreamByteSource(Stream!) : SpecialFile.IsAt(path) ? new SpecialByteSource(path) : new FileByteSource(path);
}

/// <summary>An input that is refused as a whole, as one record.</summary>
/// <param name="Code">Why, in a word.</param>
/// <param name="Message">The same as a clause.</param>
/// <param name="Raw">All of it, as it came.</param>
sealed record RefusedInput(string Code, string Message, ReadOnlyMemory<byte> Raw);

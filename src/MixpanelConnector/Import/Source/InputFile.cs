using MixpanelConnector.Files;
using MixpanelConnector.Storage;

namespace MixpanelConnector.Import.Source;

/// <summary>One input, after expanding globs and folders. There may be very many: common parts are stored once, and paths are composed when needed.</summary>
/// <param name="Root">The folder or URL in which it was found, as specified by the caller; empty when the relative path is complete.</param>
/// <param name="Relative">Its path relative to the root.</param>
/// <param name="Id">Identifies the source in computed ids and in the checkpoint, independent of the location of its folder.</param>
/// <param name="Folder">Its folder, with symlinks resolved; null for a stream.</param>
sealed record InputFile(string Root, string Relative, string Id, string? Folder)
{
    /// <summary>The actual name of the file, if it was found through a symlink.</summary>
    public string? RealName { get; init; }

    /// <summary>The stream, if it is not a file.</summary>
    public Stream? Stream { get; init; }

    /// <summary>Opens it, if it is not opened by its path or stream.</summary>
    public Func<ByteSource>? Opened { get; init; }

    /// <summary>Opens it at an offset, if it is not opened by its path; null if it can only be read from the beginning.</summary>
    public Func<long, ByteSource>? OpenedAt { get; init; }

    /// <summary>The limit of its decompressed bytes, if it shares one with other files of an archive.</summary>
    public DecompressionLimit? SharedLimit { get; init; }

    /// <summary>Whether it consists of plain lines, whatever they begin with: neither compressed, nor in another encoding or format. Default: false.</summary>
    public bool IsPlain { get; init; }

    /// <summary>The name from which ids for its records are computed. Default: <see cref="Id"/>.</summary>
    public string IdsFrom { get => field ?? Id; init; }

    /// <summary>Whether its records may have been sent before, by anyone.</summary>
    public bool MaybeSent { get; init; }

    /// <summary>Why it is rejected as a whole; null when it is not.</summary>
    public RefusedInput? Refused { get; init; }

    /// <summary>Why it cannot be read, if that was detected when it was found.</summary>
    public string? Fault { get; init; }

    /// <summary>The object, if it is in object storage.</summary>
    public StoredObject? Object { get; init; }

    /// <summary>Its stored size in bytes; null for a stream.</summary>
    public long? Length { get; init; }

    /// <summary>The limit of its decompressed bytes; null for none.</summary>
    public DecompressionLimit? LimitOf(ImportRequest request) => SharedLimit ?? (request.MaxDecompressedBytes is { } most ? new(most) : null);

    /// <summary>The name as the caller specified or found it; for messages and dead letters.</summary>
    public string Name => Root.Length == 0 ? Relative : Object is not null ? Root + Relative : System.IO.Path.Combine(Root, Relative);

    /// <summary>The name used by mappings and to detect archives. Default: <see cref="Name"/>.</summary>
    public string FileName { get => field ?? Name; init; }

    /// <summary>The table of the export that it belongs to, if that is not determined by its name.</summary>
    public string? Table { get; init; }

    /// <summary>Whether it can be opened repeatedly and yields the same bytes.</summary>
    public bool CanBeOpenedAgain => Object is not null || SeekablePath is not null;

    /// <summary>Whether it can be read by itself before its records are imported.</summary>
    public bool CanBeReadTwice => Opened is not null || CanBeOpenedAgain;

    /// <summary>Whether its records were not looked up by a mapping, because it can only be read once.</summary>
    public bool LacksLookups { get; init; }

    /// <summary>Its local path; null for a stream and an object.</summary>
    public string? Path => Folder is null ? null : System.IO.Path.Join(Folder, RealName ?? System.IO.Path.GetFileName(Relative));

    /// <summary>Its unique place: its path or URL, or that of its archive with its name there; null for a stream.</summary>
    public string? Place { get => field ?? (Object is null ? Path : Name); init; }

    /// <summary>Its path, if it is seekable; null if it can only be read once, sequentially.</summary>
    public string? SeekablePath => Path is { } path && !SpecialFile.IsAt(path) ? path : null;

    /// <summary>Whether <see cref="OpenAt"/> opens it.</summary>
    public bool CanBeOpenedAnywhere => OpenedAt is not null || (Opened is null && SeekablePath is not null);

    /// <summary>Opens it at an offset.</summary>
    /// <exception cref="InputException">It cannot be opened.</exception>
    public ByteSource OpenAt(long offset) => OpenedAt is { } open ? open(offset) : new FileByteSource(SeekablePath!, offset);

    /// <exception cref="InputException">It cannot be opened.</exception>
    public ByteSource Open() =>
        Fault is not null ? throw new InputException(Fault)
            : Opened is not null ? Opened()
            : Path is not { } path ? new StreamByteSource(Stream!)
            : SpecialFile.IsAt(path) ? new SpecialByteSource(path)
            : new FileByteSource(path);
}

/// <summary>The reason why an input is rejected as a whole, as one record.</summary>
/// <param name="Code">The code of the reason.</param>
/// <param name="Message">The reason as a clause.</param>
/// <param name="Raw">The whole input, as received.</param>
sealed record RefusedInput(string Code, string Message, ReadOnlyMemory<byte> Raw);

using MixpanelConnector.Files;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import;

/// <summary>The files that an import writes in addition to its state, validated before anything is sent.</summary>
static class Outputs
{
    /// <summary>The files that are written in addition to the state.</summary>
    public static IEnumerable<string> All(ImportRequest request) => request.OtherOutputs.Append(request.DeadLetterPath).OfType<string>();

    /// <exception cref="MixpanelException">An output is also an input, or its folder does not exist.</exception>
    public static void EnsureNoInputs(ImportRequest request, List<InputFile> inputs)
    {
        var reals = new HashSet<string>(StringComparer.Ordinal);
        foreach (var output in All(request))
        {
            var real = InputList.RealPath(output);
            if (!OutputFile.IsSpecial(output) && !reals.Add(real)) throw MixpanelException.Invalid("report", $"{output} is named for the dead letters and for another output: one would overwrite the other. Choose another path for one of them.");
            if (inputs.Exists(input => input.Path == real)) throw MixpanelException.Invalid("input", $"{output} is both an input and an output: it would be overwritten. Choose another path for one of them.");
            if (!Directory.Exists(Path.GetDirectoryName(real))) throw MixpanelException.Invalid(output == request.DeadLetterPath ? "dead_letter" : "report", $"The folder of {output} does not exist.");
        }
    }

    /// <exception cref="ImportStateException">One of them cannot be written.</exception>
    public static void EnsureWritable(ImportRequest request)
    {
        foreach (var output in All(request))
        {
            try
            {
                OutputFile.EnsureWritable(output);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new ImportStateException(ImportStateFault.Unwritable, $"{(output == request.DeadLetterPath ? "The dead-letter file" : "The file")} {output} cannot be written: {e.Message} Nothing was sent.", e);
            }
        }
    }

    /// <param name="request">The import.</param>
    /// <param name="own">The dead-letter file of its earlier runs; null for none.</param>
    /// <exception cref="MixpanelException">The dead-letter file contains something that this import did not write.</exception>
    public static void EnsureOwnDeadLetters(ImportRequest request, string? own)
    {
        if (!request.ReplacesDeadLetters && request.DeadLetterPath is { } path) EnsureOwn(path, own);
    }

    /// <param name="path">The dead-letter file.</param>
    /// <param name="own">The dead-letter file of earlier runs; null for none.</param>
    /// <exception cref="MixpanelException">It contains something that these did not write.</exception>
    public static void EnsureOwn(string path, string? own)
    {
        if (OutputFile.IsSpecial(path) || (own is not null && Path.GetFullPath(path) == Path.GetFullPath(own)) || !HasContent(path)) return;
        throw MixpanelException.Invalid("dead_letter", $"{path} is not empty, and no earlier run of this command wrote it, or its checkpoint is gone: it may contain the only copy of rejected records. Name another file, or move or delete this one. Nothing was sent.");
    }

    static bool HasContent(string path)
    {
        if (FileStatus.Behind(path).Kind is not FileKind.Regular) return false; // nothing, or a link to nothing
        using var file = File.OpenRead(path);
        return file.Length > 0;
    }

    /// <summary>The dead-letter file, in case another run has to write it; null when there is none, or it is not a regular file.</summary>
    public static string? LastingDeadLetters(ImportRequest request) =>
        request.DeadLetterPath is { } path && !OutputFile.IsSpecial(path) ? Path.GetFullPath(path) : null;
}

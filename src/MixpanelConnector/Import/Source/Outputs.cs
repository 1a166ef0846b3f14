using MixpanelConnector.Files;

namespace MixpanelConnector.Import.Source;

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
            if (!OutputFile.IsSpecial(output) && !reals.Add(real))
                throw MixpanelException.Invalid("report",
                    $"{output} is named for the dead letters and for another output: one would overwrite the other. Choose another path for one of them.");
            if (inputs.Exists(input => input.Path == real))
                throw MixpanelException.Invalid("input",
                    $"{output} is both an input and an output: it would be overwritten. Choose another path for one of them.");
            if (!Directory.Exists(Path.GetDirectoryName(real)))
                throw MixpanelException.Invalid(output == request.DeadLetterPath ? "dead_letter" : "report", $"The folder of {output} does not exist.");
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
                throw new ImportStateException(ImportStateFault.Unwritable,
                    $"{(output == request.DeadLetterPath ? "The dead-letter file" : "The file")} {output} cannot be written: {e.Message} Nothing was sent.", e);
            }
        }
    }

    /// <summary>The dead-letter file, in case another run has to write it; null when there is none, or it is not a regular file.</summary>
    public static string? LastingDeadLetters(ImportRequest request) =>
        request.DeadLetterPath is { } path && !OutputFile.IsSpecial(path) ? Path.GetFullPath(path) : null;
}

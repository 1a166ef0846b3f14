using System.Globalization;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Prints rejected records and warnings, one per line.</summary>
sealed class DiagnosticLines
{
    /// <summary>The maximum number of records, and of warnings, that are printed. Beyond that, what they have in common is more useful.</summary>
    const int MostLines = 50;

    int _records;
    int _warnings;

    /// <summary>The line for a diagnostic; null if there were too many.</summary>
    public string? Of(ImportDiagnostic value)
    {
        var count = value.Line is null ? Interlocked.Increment(ref _warnings) : Interlocked.Increment(ref _records);
        if (count > MostLines + 1) return null;
        if (count == MostLines + 1)
            return value.Line is null
                ? "mixpanel: further warnings are not shown."
                : "mixpanel: further records that are not accepted are listed only in the dead letters, if these are kept; the report counts them by reason.";
        var place = value.Line is { } line ? string.Create(CultureInfo.InvariantCulture, $"{value.Source}:{line}") : value.Source;
        var field = value.Field is { } name ? $" [{name}]" : "";
        return Printer.Clean($"{place}: {value.Code}: {value.Reason}{field}".ReplaceLineEndings(" "));
    }
}

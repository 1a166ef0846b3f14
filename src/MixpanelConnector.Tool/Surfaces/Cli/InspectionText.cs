using System.Globalization;
using System.Text;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Describes an input for a person.</summary>
static class InspectionText
{
    const int WidestName = 40;

    /// <param name="inspection">The result of the inspection.</param>
    /// <param name="command">The command to propose; null for none.</param>
    /// <param name="mostColumns">The maximum number of columns to list.</param>
    public static string Of(ImportInspection inspection, string? command, int mostColumns)
    {
        var text = new StringBuilder();
        string?[] form =
        [
            inspection.Format,
            inspection.Delimiter is { } delimiter ? $"{delimiter} between cells" : null,
            inspection.LineEnds is { } ends ? $"lines end with {ends}" : null,
            inspection.Encoding,
            inspection.Compression,
        ];
        if (inspection.Proposal?.Format is { } other) form[0] = $"detected as {inspection.Format}, but no name in its first line is known; shown as {other}";
        Line($"{inspection.Source}: {string.Join(", ", form.OfType<string>().DefaultIfEmpty("unknown format"))}{(inspection.Inputs > 1 ? string.Create(CultureInfo.InvariantCulture, $"; the first of {inspection.Inputs} inputs with records") : "")}");

        var shown = inspection.Columns.Take(mostColumns).Select(column => (Name: Cut(column.Name), column.Type, column.Samples)).ToList();
        var name = shown.Count == 0 ? 0 : shown.Max(column => column.Name.Length);
        var type = shown.Count == 0 ? 0 : shown.Max(column => column.Type.Length);
        foreach (var column in shown) Line($"  {column.Name.PadRight(name)}  {column.Type.PadRight(type)}  {string.Join(", ", column.Samples.Select(Cut))}");
        if (inspection.Columns.Count > shown.Count)
            Line($"  and {Counted.Of(inspection.Columns.Count - shown.Count, "more column", "more columns")}: --inspect --output json has all");

        Line(string.Create(CultureInfo.InvariantCulture,
            $"{Counted.Of(inspection.Records, "record", "records")} inspected; {inspection.Refused} would be rejected{(inspection.Refused > 0 ? ":" : ".")}"));
        Reasons(inspection.Reasons);
        if (inspection.Proposal is { } proposal && command is not null)
        {
            Line(string.Create(CultureInfo.InvariantCulture,
                $"With this command, {proposal.Accepted} of them would be accepted{(proposal.Reasons is null ? ":" : ", and the others rejected:")}"));
            Reasons(proposal.Reasons);
            text.Append("  ").Append(command).Append('\n');
            if (proposal.Note is { } note) Line(note);
        }

        return text.ToString();

        void Reasons(IReadOnlyList<ImportReason>? reasons)
        {
            foreach (var reason in reasons ?? [])
                Line(string.Create(CultureInfo.InvariantCulture,
                    $"  {reason.Count} {reason.Code}: {reason.Samples[0].Message} ({string.Join(", ", reason.Samples.Select(sample => sample.Place))})"));
        }

        void Line(string line) => text.Append(Printer.Clean(line.ReplaceLineEndings(" "))).Append('\n');
    }

    static string Cut(string text)
    {
        var clean = Printer.Clean(text.ReplaceLineEndings(" "));
        return clean.Length <= WidestName ? clean : $"{clean[..(WidestName - 1)]}…";
    }
}

using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import;

/// <summary>What the receiver of diagnostics, if there is one, is told.</summary>
static class Diagnoses
{
    public static void Warn(this IProgress<ImportDiagnostic>? receiver, string source, string reason) =>
        receiver?.Report(new ImportDiagnostic(source, Line: null, "warning", reason));

    public static void Refused(this IProgress<ImportDiagnostic>? receiver, in DeadLetter letter, in Refusal refusal) =>
        receiver?.Report(new ImportDiagnostic(letter.Source, letter.Line, refusal.Code, refusal.Shown) { Field = refusal.ShownField });
}

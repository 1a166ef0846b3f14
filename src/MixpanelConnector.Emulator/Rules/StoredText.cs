namespace MixpanelConnector.Emulator.Rules;

/// <summary>
/// Text as stored in a column. The database library terminates text at the NUL character, so NUL is replaced by its symbol, both when text is stored and when
/// it is queried.
/// </summary>
static class StoredText
{
    public static string Of(string text) => text.Replace('\0', '\u2400');

    public static List<string> Of(IEnumerable<string> texts) => [.. texts.Select(Of)];
}

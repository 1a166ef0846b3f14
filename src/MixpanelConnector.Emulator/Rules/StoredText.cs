namespace MixpanelConnector.Emulator.Rules;

/// <summary>Text as a column holds it. The database's library ends text at the character NUL: the picture of NUL stands for it, where text is stored and where it is asked for.</summary>
static class StoredText
{
    public static string Of(string text) => text.Replace('\0', '\u2400');

    public static List<string> Of(IEnumerable<string> texts) => [.. texts.Select(Of)];
}

using System.Text;
using System.Text.Encodings.Web;
using ModelContextProtocol;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>
/// How many bytes JSON takes on the wire. The protocol carries an answer as JSON, as a text that holds JSON, or as both; in a
/// text each quote and each escape of the JSON is escaped once more.
/// </summary>
sealed class WireSize
{
    static readonly JavaScriptEncoder Wire = McpJsonUtilities.DefaultOptions.Encoder ?? JavaScriptEncoder.Default;

    readonly bool _asJson;
    readonly int[] _ofAscii;

    WireSize(bool asJson)
    {
        _asJson = asJson;
        _ofAscii = [.. Enumerable.Range(0, 128).Select(value => Measure(new Rune(value)))];
        OfString = 2 * (Escaped(Wire, "\"") + (asJson ? 1 : 0));
    }

    /// <summary>As a text alone.</summary>
    public static WireSize AsText { get; } = new(asJson: false);

    /// <summary>As JSON, and as a text.</summary>
    public static WireSize AsJsonAndText { get; } = new(asJson: true);

    /// <summary>What a string takes beside its characters.</summary>
    public int OfString { get; }

    /// <summary>What a bracket, a comma, a colon or a digit takes.</summary>
    public int OfSign => _asJson ? 2 : 1;

    /// <summary>What a character within a string takes.</summary>
    public int Of(Rune rune) => rune.IsAscii ? _ofAscii[rune.Value] : Measure(rune);

    /// <summary>What the characters of a string take.</summary>
    public int OfPlain(string text) => text.EnumerateRunes().Sum(Of);

    int Measure(Rune rune)
    {
        var text = rune.ToString();
        return Escaped(Wire, Tools.Readable.Encoder!.Encode(text)) + (_asJson ? Escaped(Wire, text) : 0);
    }

    static int Escaped(JavaScriptEncoder encoder, string text) => Encoding.UTF8.GetByteCount(encoder.Encode(text));
}

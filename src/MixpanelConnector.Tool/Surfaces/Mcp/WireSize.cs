using System.Text;
using System.Text.Encodings.Web;
using ModelContextProtocol;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>
/// The number of bytes of JSON as it is sent. The protocol sends a result as JSON, as a string that contains JSON, or as both; in a string, each quote and each
/// escape of the JSON is escaped again.
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

    /// <summary>As a string only.</summary>
    public static WireSize AsText { get; } = new(asJson: false);

    /// <summary>As JSON, and as a string.</summary>
    public static WireSize AsJsonAndText { get; } = new(asJson: true);

    /// <summary>The bytes of a string in addition to its characters.</summary>
    public int OfString { get; }

    /// <summary>The bytes of a bracket, a comma, a colon or a digit.</summary>
    public int OfSign => _asJson ? 2 : 1;

    /// <summary>The bytes of a character within a string.</summary>
    public int Of(Rune rune) => rune.IsAscii ? _ofAscii[rune.Value] : Measure(rune);

    /// <summary>The bytes of the characters of a string.</summary>
    public int OfPlain(string text) => text.EnumerateRunes().Sum(Of);

    int Measure(Rune rune)
    {
        var text = rune.ToString();
        return Escaped(Wire, Tools.Readable.Encoder!.Encode(text)) + (_asJson ? Escaped(Wire, text) : 0);
    }

    static int Escaped(JavaScriptEncoder encoder, string text) => Encoding.UTF8.GetByteCount(encoder.Encode(text));
}

using System.Collections.Frozen;
using System.Text;

namespace MixpanelConnector.Import.Map;

/// <summary>Finds ISO 3166 country codes by the names that vendors use: alpha-2, alpha-3 and English names, case-insensitive.</summary>
static class Countries
{
    static readonly Lazy<FrozenDictionary<string, byte[]>> ByName = new(Read);

    /// <summary>The alpha-2 code in upper case; empty when the name is unknown.</summary>
    public static ReadOnlySpan<byte> CodeOf(ReadOnlySpan<byte> name)
    {
        name = name.Trim(" \t"u8);
        return name.Length is > 1 and <= 128 && ByName.Value.TryGetValue(Encoding.UTF8.GetString(name), out var code) ? code : default;
    }

    static FrozenDictionary<string, byte[]> Read()
    {
        using var stream = typeof(Countries).Assembly.GetManifestResourceStream("countries.tsv")!;
        using var lines = new StreamReader(stream);
        var codes = new Dictionary<string, byte[]>(StringComparer.OrdinalIgnoreCase);
        while (lines.ReadLine() is { } line)
        {
            var names = line.Split('\t');
            var code = Encoding.ASCII.GetBytes(names[0]);
            foreach (var name in names) codes.TryAdd(name, code);
        }

        return codes.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }
}

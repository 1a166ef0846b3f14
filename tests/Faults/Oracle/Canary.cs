using System.Text;

namespace MixpanelConnector.Faults;

/// <summary>A secret that must not appear anywhere, in any encoding.</summary>
sealed class Canary
{
    readonly List<byte[]> _forms;

    public Canary(string user, string secret)
    {
        var pair = Encoding.UTF8.GetBytes($"{user}:{secret}");
        Authorization = $"Basic {Convert.ToBase64String(pair)}";
        var plain = Encoding.UTF8.GetBytes(secret);
        _forms =
        [
            plain,
            [.. plain.Reverse()],
            Encoding.Unicode.GetBytes(secret),
            Encoding.ASCII.GetBytes(Convert.ToHexString(plain)),
            Encoding.ASCII.GetBytes(Convert.ToHexStringLower(plain)),
            Encoding.ASCII.GetBytes(Uri.EscapeDataString(secret)),
            Encoding.ASCII.GetBytes(System.Text.Json.JsonSerializer.Serialize(secret)[1..^1]),
            .. Alignments(plain),
        ];
    }

    /// <summary>The header, the only place where it may appear.</summary>
    public string Authorization { get; }

    public bool IsIn(ReadOnlySpan<byte> bytes)
    {
        foreach (var form in _forms)
            if (bytes.IndexOf(form) >= 0) return true;
        return false;
    }

    /// <summary>The middle of the secret in base64, at every alignment.</summary>
    static IEnumerable<byte[]> Alignments(byte[] secret)
    {
        for (var before = 0; before < 3; before++)
        {
            var text = Convert.ToBase64String([.. new byte[before], .. secret]);
            yield return Encoding.ASCII.GetBytes(text[4..^4]);
        }
    }
}

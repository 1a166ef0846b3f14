namespace MixpanelConnector.Emulator.Flags;

/// <summary><c>semver_compare</c>: compares by the precedence of Semantic Versioning 2.0.0. An invalid version compares false.</summary>
static class Versions
{
    const int Longest = 256;

    public static bool Hold(object? actual, object? operation, object? target) =>
        Parse(actual) is { } one && Parse(target) is { } other && Comparison.Holds(Compare(one, other), operation);

    /// <summary>The three numbers and the pre-release identifiers; null if it is not a version.</summary>
    static (string[] Core, string[] PreRelease)? Parse(object? value)
    {
        if (value is not string { Length: <= Longest } given) return null;
        var text = JavaScript.Trim(given);
        text = text.StartsWith('v') || text.StartsWith('V') ? text[1..] : text;
        var build = text.IndexOf('+', StringComparison.Ordinal);
        if (build >= 0 && !text[(build + 1)..].Split('.').All(IsIdentifier)) return null;
        text = build >= 0 ? text[..build] : text;
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        var core = (dash >= 0 ? text[..dash] : text).Split('.');
        string[] preRelease = dash >= 0 ? text[(dash + 1)..].Split('.') : [];
        return core.Length <= 3 && core.All(part => IsNumber(part) && HasNoLeadingZero(part))
            && preRelease.All(part => IsIdentifier(part) && (!IsNumber(part) || HasNoLeadingZero(part)))
            ? ([.. core, .. Enumerable.Repeat("0", 3 - core.Length)], preRelease)
            : null;
    }

    static int Compare((string[] Core, string[] PreRelease) one, (string[] Core, string[] PreRelease) other)
    {
        for (var index = 0; index < 3; index++)
        {
            if (CompareParts(one.Core[index], other.Core[index]) is var order and not 0) return order;
        }
        // A release comes after its pre-releases.
        if (one.PreRelease.Length == 0 || other.PreRelease.Length == 0) return other.PreRelease.Length.CompareTo(one.PreRelease.Length);
        for (var index = 0; index < Math.Min(one.PreRelease.Length, other.PreRelease.Length); index++)
        {
            if (CompareParts(one.PreRelease[index], other.PreRelease[index]) is var order and not 0) return order;
        }
        return one.PreRelease.Length.CompareTo(other.PreRelease.Length);
    }

    static int CompareParts(string one, string other) => (IsNumber(one), IsNumber(other)) switch
    {
        (true, true) => one.Length != other.Length ? one.Length.CompareTo(other.Length) : string.CompareOrdinal(one, other),
        (true, false) => -1,
        (false, true) => 1,
        _ => string.CompareOrdinal(one, other),
    };

    static bool IsNumber(string part) => part.Length > 0 && !part.AsSpan().ContainsAnyExceptInRange('0', '9');

    static bool HasNoLeadingZero(string part) => part.Length == 1 || part[0] != '0';

    static bool IsIdentifier(string part) => part.Length > 0 && part.All(character => char.IsAsciiLetterOrDigit(character) || character == '-');
}

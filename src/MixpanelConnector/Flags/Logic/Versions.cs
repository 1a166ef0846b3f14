namespace MixpanelConnector.Flags.Logic;

/// <summary><c>semver_compare</c>, with the precedence of Semantic Versioning 2.0.0. An invalid version always compares false, even as unequal.</summary>
static class Versions
{
    const int Longest = 256;
    const int Parts = 3;

    public static bool Hold(string actual, string how, string target) =>
        actual.Length <= Longest && target.Length <= Longest && TryParse(actual, out var one) && TryParse(target, out var other)
            && Order.Holds(Compare(in one, in other), how);

    readonly ref struct Version
    {
        public required ReadOnlySpan<char> Core { get; init; }

        public required ReadOnlySpan<char> PreRelease { get; init; }

        public required bool IsPreRelease { get; init; }
    }

    static bool TryParse(string text, out Version version)
    {
        version = default;
        var rest = JavaScriptNumber.Trim(text);
        if (rest is ['v' or 'V', ..]) rest = rest[1..];
        if (rest.IndexOf('+') is >= 0 and var build)
        {
            if (!AreIdentifiers(rest[(build + 1)..], mayPad: true)) return false;
            rest = rest[..build];
        }

        var dash = rest.IndexOf('-');
        version = new() { Core = dash < 0 ? rest : rest[..dash], PreRelease = dash < 0 ? default : rest[(dash + 1)..], IsPreRelease = dash >= 0 };
        var count = 0;
        foreach (var part in version.Core.Split('.'))
            if (++count > Parts || !IsNumber(version.Core[part]) || IsPadded(version.Core[part])) return false;
        return dash < 0 || AreIdentifiers(version.PreRelease, mayPad: false);
    }

    static bool AreIdentifiers(ReadOnlySpan<char> text, bool mayPad)
    {
        foreach (var part in text.Split('.'))
        {
            var identifier = text[part];
            if (identifier.IsEmpty || (!mayPad && IsNumber(identifier) && IsPadded(identifier))) return false;
            foreach (var character in identifier)
                if (!char.IsAsciiLetterOrDigit(character) && character != '-') return false;
        }

        return true;
    }

    static int Compare(in Version one, in Version other)
    {
        var core = one.Core;
        var otherCore = other.Core;
        for (var i = 0; i < Parts; i++)
            if (CompareIdentifiers(Take(ref core, "0"), Take(ref otherCore, "0")) is var order and not 0) return order;
        if (!one.IsPreRelease || !other.IsPreRelease) return other.IsPreRelease.CompareTo(one.IsPreRelease); // a release follows its pre-releases
        var mine = one.PreRelease;
        var others = other.PreRelease;
        while (!mine.IsEmpty && !others.IsEmpty)
            if (CompareIdentifiers(Take(ref mine, ""), Take(ref others, "")) is var order and not 0) return order;
        return (!mine.IsEmpty).CompareTo(!others.IsEmpty);
    }

    static ReadOnlySpan<char> Take(scoped ref ReadOnlySpan<char> rest, string otherwise)
    {
        if (rest.IsEmpty) return otherwise;
        var dot = rest.IndexOf('.');
        var taken = dot < 0 ? rest : rest[..dot];
        rest = dot < 0 ? default : rest[(dot + 1)..];
        return taken;
    }

    static int CompareIdentifiers(ReadOnlySpan<char> one, ReadOnlySpan<char> other) => (IsNumber(one), IsNumber(other)) switch
    {
        (true, true) when one.Length != other.Length => one.Length.CompareTo(other.Length),
        (true, false) => -1,
        (false, true) => 1,
        _ => one.SequenceCompareTo(other),
    };

    static bool IsNumber(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExceptInRange('0', '9');

    static bool IsPadded(ReadOnlySpan<char> number) => number is ['0', _, ..];
}

/// <summary>Applies the comparison operators that Mixpanel adds to JsonLogic.</summary>
static class Order
{
    public static bool Holds(int order, string how) => how switch
    {
        "===" => order == 0,
        "!==" => order != 0,
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        ">=" => order >= 0,
        _ => false,
    };
}

using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Flags;

/// <summary>The variant of a flag that a context gets.</summary>
readonly record struct FlagAssignment(JsonElement Variant, bool IsTestUser)
{
    public string Key => Variant.GetProperty("key").GetString()!;
}

/// <summary>
/// Determines the variant of a flag for a context, as the official SDKs compute it: the same flag and context always result in the same variant.
/// </summary>
static class FlagEvaluation
{
    /// <summary>The variant for a context; null if the flag does not apply to it.</summary>
    /// <param name="flag">The definition, of which <c>key</c>, <c>context</c>, <c>hash_salt</c> and <c>ruleset</c> are used.</param>
    /// <param name="context">The caller's context object.</param>
    /// <param name="mayMatch">Whether a rollout can assign a variant at all; null for all rollouts, as in the SDKs.</param>
    /// <param name="budget">The budget of the rules; null for a new one.</param>
    public static FlagAssignment? Assign(JsonElement flag, JsonElement context, Func<JsonElement, bool>? mayMatch = null, RuleBudget? budget = null)
    {
        budget ??= new RuleBudget();
        if (Member(flag, "context") is not { ValueKind: JsonValueKind.String } name || Member(context, name.GetString()!) is not { } assigned) return null;
        if (Member(flag, "ruleset") is not { ValueKind: JsonValueKind.Object } ruleset) return null;
        var variants = List(ruleset, "variants");
        if (Text(context, "distinct_id") is { } user && Member(ruleset, "test") is { } test && Member(test, "users") is { } users
            && Text(users, user) is { } chosen
            && Find(variants, chosen) is { } ofTester)
            return new FlagAssignment(ofTester, IsTestUser: true);

        var (key, salt, unit) = (Text(flag, "key") ?? "", Text(flag, "hash_salt"), TextOf(assigned));
        var rollouts = List(ruleset, "rollout");
        for (var index = 0; index < rollouts.Count; index++)
        {
            var rollout = rollouts[index];
            var share = Hash(unit, salt is null ? key + "rollout" : string.Create(CultureInfo.InvariantCulture, $"{key}{salt}{index}"));
            if (!(share < Number(rollout, "rollout_percentage")) || mayMatch?.Invoke(rollout) == false || !RuntimeRules.Hold(rollout, context, budget))
                continue;
            var variant = Member(rollout, "variant_override") is { } forced && Text(forced, "key") is { } named ? Find(variants, named) : null;
            variant ??= Split(variants, Member(rollout, "variant_splits"), Hash(unit, key + salt + "variant"));
            return variant is { } found ? new FlagAssignment(found, IsTestUser: false) : null;
        }
        return null;
    }

    /// <summary>Hashes a text with a salt to a multiple of 0.01 from 0 to 0.99, by 64-bit FNV-1a.</summary>
    public static double Hash(string text, string salt)
    {
        var hash = 0xCBF29CE484222325;
        foreach (var value in Encoding.UTF8.GetBytes(text + salt))
            hash = unchecked((hash ^ value) * 0x100000001B3);
        return hash % 100 / 100.0;
    }

    /// <summary>A member of an object; null if it is absent or null, or the value is not an object.</summary>
    internal static JsonElement? Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A string unchanged, an integer as its digits, and everything else as JavaScript converts it.</summary>
    internal static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number when value.GetRawText() is var digits && digits.AsSpan().TrimStart('-').ContainsAnyExceptInRange('0', '9') =>
            JavaScript.ToText(value.GetDouble()),
        JsonValueKind.Number => value.GetRawText() is var whole && whole == "-0" ? "0" : value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => value.GetRawText(),
    };

    static string? Text(JsonElement json, string name) => Member(json, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    static double Number(JsonElement json, string name) => Member(json, name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : 0;

    static List<JsonElement> List(JsonElement json, string name) =>
        Member(json, name) is { ValueKind: JsonValueKind.Array } list
            ? [.. list.EnumerateArray().Where(element => element.ValueKind == JsonValueKind.Object)]
            : [];

    static JsonElement? Find(List<JsonElement> variants, string key)
    {
        var lowered = Lowered(key);
        foreach (var variant in variants)
            if (Lowered(Text(variant, "key")) == lowered) return variant;
        return null;

        static string? Lowered(string? text) => text?.ToLowerInvariant(); // as the SDKs compare, which differs from a case-insensitive comparison
    }

    /// <summary>The first variant, in the order of keys, at which the cumulative split exceeds the hash; the last one if it never does.</summary>
    static JsonElement? Split(List<JsonElement> variants, JsonElement? splits, double hash)
    {
        JsonElement? last = null;
        var sum = 0.0;
        foreach (var variant in variants.Where(variant => Text(variant, "key") is not null).OrderBy(variant => Text(variant, "key")!, CodePoints))
        {
            last = variant;
            sum += splits is { } shares && Member(shares, Text(variant, "key")!) is { ValueKind: JsonValueKind.Number } share
                ? share.GetDouble()
                : Number(variant, "split");
            if (hash < sum) return variant;
        }
        return last;
    }

    /// <summary>Compares by code points, whose order differs from that of UTF-16 because of surrogates.</summary>
    static readonly Comparer<string> CodePoints =
        Comparer<string>.Create(static (one, other) => Encoding.UTF8.GetBytes(one).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other)));
}

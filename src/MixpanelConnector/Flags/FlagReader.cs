using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Flags.Logic;

namespace MixpanelConnector.Flags;

/// <summary>Parses an answer with definitions for evaluation. An error in a definition affects only that definition.</summary>
static class FlagReader
{
    // The maximum nesting depth of a rule or a value; rules from Mixpanel's editor have a handful of levels.
    const int Deepest = 128;

    // The time that JsonDocument needs grows with the square of the depth.
    const int DeepestDefinition = 1024;

    // The depth of the whole answer is checked without recursion.
    const int DeepestAnswer = 1 << 20;

    /// <summary>Reads the definitions of an answer such as <c>{"flags":[…]}</c>.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="leftOut">Receives the error of each definition that is left out.</param>
    /// <returns>Null when it is not such an answer.</returns>
    public static FlagSet? Read(ReadOnlySpan<byte> answer, List<string> leftOut)
    {
        try
        {
            var json = new Utf8JsonReader(answer, new JsonReaderOptions { MaxDepth = DeepestAnswer });
            if (!json.Read() || json.TokenType is not JsonTokenType.StartObject) return null;
            Dictionary<string, FlagDefinition>? flags = null;
            while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
            {
                var isFlags = json.ValueTextEquals("flags"u8);
                json.Read();
                if (!isFlags) json.Skip();
                else if (json.TokenType is not JsonTokenType.StartArray) return null;
                else flags = ReadAll(answer, ref json, leftOut);
            }

            return json.Read() || flags is null ? null : new FlagSet(flags.Values);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static Dictionary<string, FlagDefinition> ReadAll(ReadOnlySpan<byte> answer, ref Utf8JsonReader json, List<string> leftOut)
    {
        var flags = new Dictionary<string, FlagDefinition>(StringComparer.Ordinal);
        for (var number = 1; json.Read() && json.TokenType is not JsonTokenType.EndArray; number++)
        {
            var start = (int)json.TokenStartIndex;
            json.Skip();
            try
            {
                using var definition =
                    JsonDocument.Parse(answer[start..(int)json.BytesConsumed].ToArray(), new JsonDocumentOptions { MaxDepth = DeepestDefinition });
                var flag = Read(definition.RootElement);
                flags[flag.Key] = flag; // of a duplicate key, the last one counts
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or InvalidDefinitionException)
            {
                leftOut.Add($"number {number.ToString(CultureInfo.InvariantCulture)}: {(e is InvalidDefinitionException ? e.Message : e is JsonException ? "it is nested too deeply" : "a text is not valid Unicode")}");
            }
        }

        return flags;
    }

    static FlagDefinition Read(JsonElement json)
    {
        if (json.ValueKind is not JsonValueKind.Object) throw new InvalidDefinitionException("it is not an object");
        var key = Text(json, "key") ?? throw new InvalidDefinitionException("it has no key");
        var context = Text(json, "context") ?? throw new InvalidDefinitionException("it has no context");
        if (Member(json, "ruleset") is not { ValueKind: JsonValueKind.Object } ruleset) throw new InvalidDefinitionException("it has no ruleset");
        var salt = Text(json, "hash_salt");
        var experiment = Member(json, "experiment_id") is { ValueKind: JsonValueKind.String } named ? named.GetString() : null;
        bool? isActive = Member(json, "is_experiment_active") is { ValueKind: JsonValueKind.True or JsonValueKind.False } active ? active.GetBoolean() : null;

        List<Variant> variants = [];
        foreach (var json1 in Items(ruleset, "variants"))
        {
            var name = Text(json1, "key") ?? throw new InvalidDefinitionException("a variant has no key");
            var value = json1.TryGetProperty("value", out var given) ? given.Clone() : JsonElement.Parse("null");
            if (IsTooDeep(value)) throw new InvalidDefinitionException("the value of a variant is nested too deeply");
            FlagEvaluation Evaluation(bool isTestUser) => new(key, name, value, experiment, isActive, isTestUser, FlagSource.Local);
            variants.Add(new(name, name.ToLowerInvariant(), Number(json1, "split") ?? 0, Evaluation(isTestUser: false), Evaluation(isTestUser: true)));
        }

        var sorted = variants.OrderBy(variant => Encoding.UTF8.GetBytes(variant.Key), CodePoints).ToArray();
        return new FlagDefinition
        {
            Key = key,
            AssignedBy = context,
            VariantSalt = Encoding.UTF8.GetBytes(key + salt + "variant"),
            Variants = Array.ConvertAll(sorted, variant => variant.Evaluation),
            Rollouts =
            [
                .. Items(ruleset, "rollout")
                    .Select((rollout, index) => ReadRollout(rollout,
                        salt is null ? key + "rollout" : string.Create(CultureInfo.InvariantCulture, $"{key}{salt}{index}"), variants, sorted)),
            ],
            Testers = ReadTesters(ruleset, variants),
            LacksKey = new FlagEvaluation(FallbackReason.MissingContextKey, context),
        };
    }

    static RolloutDefinition ReadRollout(JsonElement json, string salt, List<Variant> variants, Variant[] sorted)
    {
        var splits = Object(json, "variant_splits");
        var shares = new double[sorted.Length];
        for (var (i, sum) = (0, 0.0); i < sorted.Length; i++) shares[i] = sum += (splits is { } own ? Number(own, sorted[i].Key) : null) ?? sorted[i].Split;
        return new RolloutDefinition
        {
            Salt = Encoding.UTF8.GetBytes(salt),
            Percentage = Number(json, "rollout_percentage") ?? 0,
            // Like a rule that throws.
            Rule = Rule(json, "runtime_evaluation_rule") is { } rule ? IsTooDeep(rule) ? new UnknownOperator() : LogicReader.Read(rule) : null,
            Wanted = Rule(json, "runtime_evaluation_definition") is { } wanted
                ? [.. wanted.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, Lower(member.Value)))]
                : null,
            Override = Object(json, "variant_override") is { } forced
                ? Find(variants, Text(forced, "key") ?? throw new InvalidDefinitionException("a variant_override has no key"))?.Evaluation
                : null,
            Shares = shares,
        };
    }

    static Dictionary<string, FlagEvaluation> ReadTesters(JsonElement ruleset, List<Variant> variants)
    {
        var testers = new Dictionary<string, FlagEvaluation>(StringComparer.Ordinal);
        if (Object(ruleset, "test") is not { } test || Object(test, "users") is not { } users) return testers;
        foreach (var user in users.EnumerateObject())
        {
            testers.Remove(user.Name); // of a duplicate name, the last one counts
            if (user.Value.ValueKind is JsonValueKind.String && Find(variants, user.Value.GetString()!) is { } variant) testers[user.Name] = variant.OfTester;
        }

        return testers;
    }

    sealed record Variant(string Key, string Lowered, double Split, FlagEvaluation Evaluation, FlagEvaluation OfTester);

    static Variant? Find(List<Variant> variants, string key)
    {
        var lowered = key.ToLowerInvariant();
        return variants.Find(variant => variant.Lowered == lowered);
    }

    static string Lower(JsonElement wanted)
    {
        if (IsTooDeep(wanted)) throw new InvalidDefinitionException("a runtime_evaluation_definition is nested too deeply");
        var budget = new LogicBudget(FlagDefinition.MostUnits);
        return Conversion.ToText(LogicValue.Lowered(wanted, lowersNames: false), ref budget);
    }

    /// <summary>Returns a rule if there is one: an object with members.</summary>
    static JsonElement? Rule(JsonElement json, string name) =>
        Member(json, name) is { ValueKind: JsonValueKind.Object } rule && rule.GetPropertyCount() > 0 ? rule : null;

    static bool IsTooDeep(JsonElement json)
    {
        var reader = new Utf8JsonReader(JsonMarshal.GetRawUtf8Value(json), new JsonReaderOptions { MaxDepth = DeepestAnswer });
        while (reader.Read())
            if (reader.CurrentDepth >= Deepest) return true;
        return false;
    }

    static JsonElement? Member(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null;

    static JsonElement? Object(JsonElement json, string name) => Member(json, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => value,
        _ => throw new InvalidDefinitionException($"{name} is not an object"),
    };

    static string? Text(JsonElement json, string name) => Member(json, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw new InvalidDefinitionException($"{name} is not text"),
    };

    static double? Number(JsonElement json, string name) => Member(json, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
        _ => throw new InvalidDefinitionException(name is "split" or "rollout_percentage"
            ? $"{name} is not a number"
            : "a share of variant_splits is not a number"),
    };

    static JsonElement[] Items(JsonElement json, string name) => Member(json, name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(item => item.ValueKind is JsonValueKind.Object) => [.. list.EnumerateArray()],
        _ => throw new InvalidDefinitionException($"{name} is not a list of objects"),
    };

    static readonly Comparer<byte[]> CodePoints = Comparer<byte[]>.Create(static (one, other) => one.AsSpan().SequenceCompareTo(other));

    sealed class InvalidDefinitionException(string message) : Exception(message);
}

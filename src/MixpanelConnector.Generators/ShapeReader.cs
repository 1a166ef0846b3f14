using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace MixpanelConnector.Generators;

/// <summary>Determines how values of a type are written.</summary>
sealed class ShapeReader(ContractReader contract)
{
    const string Value = "json.Value({0});", Other = "json.Other({0});";

    static readonly string[] Text =
    [
        "string",
    ], Integer = ["integer"], Number = ["number"], Boolean = ["boolean"], Any = ["array", "boolean", "number", "object", "string"];

    static readonly Dictionary<string, Shape.Plain> Others = new(StringComparer.Ordinal)
    {
        ["System.DateTimeOffset"] = new(Value, Text, "json.Milliseconds({0});"),
        ["System.Guid"] = new(Value, Text),
        ["System.DateOnly"] = new(Other, Text),
        ["System.TimeOnly"] = new(Other, Text),
        ["System.TimeSpan"] = new(Other, Text),
        ["System.Uri"] = new(Other, Text),
        ["System.Version"] = new(Other, Text),
        ["System.Half"] = new(Other, Number),
        ["System.Int128"] = new(Other, Integer),
        ["System.UInt128"] = new(Other, Integer),
        ["System.Numerics.BigInteger"] = new(Other, Integer),
        ["System.Memory<byte>"] = new("json.Bytes({0}.Span);", Text),
        ["System.ReadOnlyMemory<byte>"] = new("json.Bytes({0}.Span);", Text),
        ["System.Text.Json.JsonElement"] = new(Other, Any),
        ["System.Text.Json.JsonDocument"] = new(Other, Any),
        ["System.Text.Json.Nodes.JsonNode"] = new(Other, Any),
        ["System.Text.Json.Nodes.JsonValue"] = new(Other, ["boolean", "number", "string"]),
        ["System.Text.Json.Nodes.JsonObject"] = new(Other, ["object"]),
        ["System.Text.Json.Nodes.JsonArray"] = new(Other, ["array"]),
    };

    /// <summary>How values of a type are written; null if they cannot be, with the reason.</summary>
    /// <param name="type">The type.</param>
    /// <param name="why">The reason, which follows the name of a property in a message.</param>
    public Shape? Of(ITypeSymbol type, out string? why)
    {
        why = null;
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable) return Of(nullable.TypeArguments[0], out why);
        if (Plain(type) is { } plain) return plain;
        if (type.TypeKind is TypeKind.Enum)
        {
            why = ContractReader.WhyOwn(type);
            return new Shape.Plain($"json.Value({NameOf(type)});", Text);
        }

        if (type is IArrayTypeSymbol { Rank: 1 } array)
            return array.ElementType.SpecialType is SpecialType.System_Byte
                ? new Shape.Plain("json.Bytes({0});", Text)
                : ListOf(array.ElementType, asInterface: false, out why);
        if (type is INamedTypeSymbol { TypeKind: TypeKind.Class or TypeKind.Struct or TypeKind.Interface } named && ContractReader.WhyOwn(named) is var own)
        {
            if (own is not null) why = own;
            else if (IsGeneric(named, "IDictionary", "IReadOnlyDictionary") is { } dictionary) return DictionaryOf(dictionary, out why);
            else if (ItemOf(named) is { } item) return ListOf(item, asInterface: !IsGenericOf(named, "List", "ImmutableArray"), out why);
            else if (IsObject(named)) return new Shape.Members(contract.NumberOf(named));
        }

        why ??= type.SpecialType is SpecialType.System_Object || type.TypeKind is TypeKind.Dynamic
            ? "may hold anything: use a specific type, such as string, decimal or JsonNode"
            : $"is of type {type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)}, for which no code can be generated: use another type, "
                + $"track the event with its JsonTypeInfo, or exclude the property with [JsonIgnore]";
        return null;
    }

    /// <summary>The item type of a list type; null if the type is not a list, or has several item types.</summary>
    public static ITypeSymbol? ItemOf(INamedTypeSymbol type) => IsGeneric(type, "IEnumerable") is { } list ? list.TypeArguments[0] : null;

    Shape.List? ListOf(ITypeSymbol item, bool asInterface, out string? why) => Of(item, out why) is { } shape ? new Shape.List(shape, item, asInterface) : null;

    Shape.Dictionary? DictionaryOf(INamedTypeSymbol dictionary, out string? why)
    {
        var (key, value) = (dictionary.TypeArguments[0], dictionary.TypeArguments[1]);
        var name = key switch
        {
            { SpecialType: SpecialType.System_String } => "{0}",
            { TypeKind: TypeKind.Enum } when ContractReader.WhyOwn(key) is null => NameOf(key),
            { SpecialType: >= SpecialType.System_SByte and <= SpecialType.System_UInt64 } =>
                "{0}.ToString(global::System.Globalization.CultureInfo.InvariantCulture)",
            { Name: "Guid", ContainingNamespace: { Name: "System", ContainingNamespace.IsGlobalNamespace: true } } => "{0}.ToString()",
            _ => null,
        };
        if (name is null) why = $"has keys of type {key.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)}: use a type such as string";
        else if (Of(value, out why) is { } shape) return new Shape.Dictionary(name, key, shape, value);
        return null;
    }

    /// <summary>The C# that converts a member of an enumeration to its name, with {0} for the member.</summary>
    static string NameOf(ITypeSymbol type)
    {
        var names = new StringBuilder();
        foreach (var member in type.GetMembers())
            if (member.GetAttributes().FirstOrDefault(one => one.AttributeClass is { Name: "JsonStringEnumMemberNameAttribute" })?.Argument() is string name)
                names.Append(SymbolDisplay.FormatLiteral(member.Name, quote: true))
                    .Append(" => ")
                    .Append(SymbolDisplay.FormatLiteral(name, quote: true))
                    .Append(", ");
        if (names.Length == 0) return "{0}.ToString()";
        var named = $" switch {{{{ {names.Replace("{", "{{").Replace("}", "}}")}var other => other }}}}";
        return type.GetAttributes().Any(one => one.AttributeClass?.ToDisplayString() == "System.FlagsAttribute")
            ? $"string.Join(\", \", global::System.Array.ConvertAll({{0}}.ToString().Split(new[] {{{{ \", \" }}}}, global::System.StringSplitOptions.None), "
                + $"static one => one{named}))"
            : $"{{0}}.ToString(){named}";
    }

    static Shape.Plain? Plain(ITypeSymbol type) => type.SpecialType switch
    {
        SpecialType.System_String or SpecialType.System_Char => new(Value, Text),
        SpecialType.System_Boolean => new(Value, Boolean),
        >= SpecialType.System_SByte and <= SpecialType.System_UInt64 => new(Value, Integer),
        SpecialType.System_Decimal or SpecialType.System_Single or SpecialType.System_Double => new(Value, Number),
        SpecialType.System_DateTime => new(Value, Text, "json.Milliseconds({0});"),
        _ => type is INamedTypeSymbol && Others.TryGetValue(type.WithNullableAnnotation(NullableAnnotation.NotAnnotated).ToDisplayString(), out var other)
            ? other
            : null,
    };

    /// <summary>Whether System.Text.Json serializes the type by its properties, and is meant to.</summary>
    static bool IsObject(INamedTypeSymbol type) =>
        type is { TypeKind: TypeKind.Class or TypeKind.Struct, SpecialType: SpecialType.None, IsTupleType: false, IsRefLikeType: false, IsAnonymousType: false }
        && (type.ToDisplayString() + ".") is var name && (!name.StartsWith("System.", StringComparison.Ordinal) || type.Name == "KeyValuePair")
        && !type.AllInterfaces.Any(one => one.SpecialType is SpecialType.System_Collections_IEnumerable || one.Name == "IAsyncEnumerable");

    static INamedTypeSymbol? IsGeneric(INamedTypeSymbol type, params string[] interfaces)
    {
        var found = type.AllInterfaces.Prepend(type).Where(one => one.TypeKind is TypeKind.Interface && IsGenericOf(one, interfaces)).ToList();
        return found.Count > 0 && found.TrueForAll(one => SymbolEqualityComparer.Default.Equals(one.TypeArguments[0], found[0].TypeArguments[0]))
            ? found[0]
            : null;
    }

    static bool IsGenericOf(INamedTypeSymbol type, params string[] names) =>
        type.IsGenericType && names.Contains(type.Name, StringComparer.Ordinal)
            && type.ContainingNamespace.ToDisplayString() is "System.Collections.Generic" or "System.Collections.Immutable";
}

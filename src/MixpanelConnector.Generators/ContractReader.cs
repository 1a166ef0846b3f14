using Microsoft.CodeAnalysis;

namespace MixpanelConnector.Generators;

/// <summary>Reads from types what System.Text.Json would read by reflection: the properties, their names and their order.</summary>
sealed class ContractReader
{
    const string Serialization = "System.Text.Json.Serialization";

    static readonly HashSet<string> ForReadingAlone = new(StringComparer.Ordinal) { "JsonConstructorAttribute", "JsonRequiredAttribute", "JsonObjectCreationHandlingAttribute", "JsonUnmappedMemberHandlingAttribute", "JsonSerializableAttribute", "JsonSourceGenerationOptionsAttribute" };

    readonly INamedTypeSymbol _event;
    readonly Compilation _compilation;
    readonly ShapeReader _shapes;
    readonly List<(INamedTypeSymbol Type, List<EventMember> Members)> _types = [];
    readonly List<Obstacle> _obstacles = [];

    ContractReader(INamedTypeSymbol type, Compilation compilation) => (_event, _compilation, _shapes) = (type, compilation, new(this));

    /// <summary>The types of the objects in an event, the event itself first, each with its properties.</summary>
    public IReadOnlyList<(INamedTypeSymbol Type, List<EventMember> Members)> Types => _types;

    /// <summary>The obstacles to generating code.</summary>
    public IReadOnlyList<Obstacle> Obstacles => _obstacles;

    public static ContractReader Read(INamedTypeSymbol type, Compilation compilation, CancellationToken cancellationToken)
    {
        var reader = new ContractReader(type, compilation);
        if (ShapeReader.ItemOf(type) is not null) reader._obstacles.Add(new(type, "is a list, which has no properties"));
        reader.NumberOf(type);
        for (var read = 0; read < reader._types.Count; read++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            reader.ReadMembers(read);
        }

        return reader;
    }

    /// <summary>The number of a type among those of the event.</summary>
    public int NumberOf(INamedTypeSymbol type)
    {
        var known = _types.FindIndex(one => SymbolEqualityComparer.Default.Equals(one.Type, type));
        if (known >= 0) return known;
        _types.Add((type, []));
        return _types.Count - 1;
    }

    void ReadMembers(int number)
    {
        var (type, members) = _types[number];
        if (WhyOwn(type) is { } own) _obstacles.Add(new(type, own));
        var (found, seen) = (new List<(EventMember Member, int Order)>(), new Dictionary<string, ISymbol>(StringComparer.Ordinal));
        for (INamedTypeSymbol? level = type; level is { SpecialType: not (SpecialType.System_Object or SpecialType.System_ValueType) }; level = level.BaseType)
        {
            var declared = level.GetMembers().Where(member => !member.IsStatic).ToList();
            foreach (var symbol in declared.OfType<IPropertySymbol>().Cast<ISymbol>().Concat(declared.OfType<IFieldSymbol>()))
            {
                if (Read(symbol, number == 0) is not var (member, order)) continue;
                if (seen.TryGetValue(symbol.Name, out _)) continue; // hidden or overridden in a derived type
                seen.Add(symbol.Name, symbol);
                if (member is null) continue;
                if (found.Find(one => one.Member.Name == member.Name) is { Member: { } same }) _obstacles.Add(new(symbol, $"has the same name in JSON as {same.Symbol.Name}: give it another one with [JsonPropertyName]"));
                else found.Add((member, order));
            }
        }

        members.AddRange(found.OrderBy(one => one.Order).Select(one => one.Member));
    }

    /// <summary>
    /// A property as System.Text.Json sees it. The member is null for an ignored property; the result is null for one that is not serialized at all.
    /// </summary>
    (EventMember? Member, int Order)? Read(ISymbol symbol, bool isOfEvent)
    {
        var (type, getter) = symbol switch
        {
            IPropertySymbol { IsIndexer: false, ExplicitInterfaceImplementations.IsEmpty: true } property => (property.Type, property.GetMethod),
            IFieldSymbol { AssociatedSymbol: null, IsImplicitlyDeclared: false } field => (field.Type, (ISymbol)field),
            _ => (null, null),
        };
        if (type is null || getter is null) return null;
        var attributes = symbol.GetAttributes().Where(attribute => attribute.AttributeClass?.ContainingNamespace.ToDisplayString() == Serialization).ToDictionary(attribute => attribute.AttributeClass!.Name, StringComparer.Ordinal);
        var isIncluded = attributes.ContainsKey("JsonIncludeAttribute");
        if (!isIncluded && (symbol is IFieldSymbol || getter.DeclaredAccessibility is not Accessibility.Public || symbol.DeclaredAccessibility is not Accessibility.Public)) return null;

        var presence = Presence.WhenNotNull;
        if (attributes.TryGetValue("JsonIgnoreAttribute", out var ignore))
        {
            switch (ignore.NamedArguments.FirstOrDefault(argument => argument.Key == "Condition").Value.Value ?? 1)
            {
                case 1 or 4: // Always, WhenWriting
                    return (null, 0);
                case 0: // Never
                    presence = Presence.Always;
                    break;
                case 2: // WhenWritingDefault
                    presence = Presence.WhenNotDefault;
                    break;
            }
        }

        var name = attributes.TryGetValue("JsonPropertyNameAttribute", out var given) && given.Argument() is string text ? text : symbol.Name;
        var order = attributes.TryGetValue("JsonPropertyOrderAttribute", out var ordered) && ordered.Argument() is int place ? place : 0;
        var why = attributes.Keys.FirstOrDefault(IsNotForWriting) is { } attribute ? $"has [{attribute.Replace("Attribute", "")}], which generated code does not support" : null;
        if (why is null && symbol is IPropertySymbol { RefKind: not RefKind.None }) why = "is returned by reference";
        if (why is null && symbol.GetAttributes().Any(one => one.AttributeClass?.ToDisplayString() == "System.ObsoleteAttribute" && one.ConstructorArguments.Any(argument => argument.Value is true))) why = "is obsolete with an error, so it cannot be read";
        if (why is null && !_compilation.IsSymbolAccessibleWithin(getter, _event)) why = "is not accessible from the event";
        var shape = why is null ? _shapes.Of(type, out why) : null;
        if (isOfEvent && name == "time" && shape is Shape.Plain { Moment: { } moment } plain) shape = new Shape.Plain(moment, ["integer"]);
        if (why is not null) _obstacles.Add(new(symbol, why));
        return (new(symbol, name, type, shape, presence), order);
    }

    /// <summary>Why System.Text.Json would not serialize a type by its properties; null if it would.</summary>
    public static string? WhyOwn(ITypeSymbol type)
    {
        foreach (var attribute in type.GetAttributes())
            if (attribute.AttributeClass is { } its && its.ContainingNamespace.ToDisplayString() == Serialization && IsNotForWriting(its.Name))
                return $"has a type with [{its.Name.Replace("Attribute", "")}], {type.Name}, which generated code does not support";
        return null;
    }

    static bool IsNotForWriting(string attribute) => !ForReadingAlone.Contains(attribute) && attribute is not ("JsonIgnoreAttribute" or "JsonIncludeAttribute" or "JsonPropertyNameAttribute" or "JsonPropertyOrderAttribute");
}

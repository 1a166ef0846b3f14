using Microsoft.CodeAnalysis;

namespace MixpanelConnector.Generators;

/// <summary>Reads from types what System.Text.Json would read by reflection: the properties, their names and their order.</summary>
sealed class ContractReader
{
    const string Serialization = "System.Text.Json.Serialization";

    // More types than an event can need: a generic type that refers to ever larger versions of itself would not end.
    const int MostTypes = 500;

    static readonly HashSet<string> ForReadingAlone = new(StringComparer.Ordinal)
    {
        "JsonConstructorAttribute",
        "JsonRequiredAttribute",
        "JsonObjectCreationHandlingAttribute",
        "JsonUnmappedMemberHandlingAttribute",
        "JsonSerializableAttribute",
        "JsonSourceGenerationOptionsAttribute",
    };

    readonly INamedTypeSymbol _event;
    readonly Compilation _compilation;
    readonly ShapeReader _shapes;
    readonly List<(INamedTypeSymbol Type, List<EventMember> Members)> _types = [];
    readonly List<Obstacle> _obstacles = [];
    bool _hasTooMany;

    ContractReader(INamedTypeSymbol type, Compilation compilation) => (_event, _compilation, _shapes) = (type, compilation, new(this));

    /// <summary>The types of the objects in an event, the event itself first, each with its properties.</summary>
    public IReadOnlyList<(INamedTypeSymbol Type, List<EventMember> Members)> Types => _types;

    /// <summary>The obstacles to generating code.</summary>
    public IReadOnlyList<Obstacle> Obstacles => _obstacles;

    public static ContractReader Read(INamedTypeSymbol type, Compilation compilation, CancellationToken cancellationToken)
    {
        var reader = new ContractReader(type, compilation);
        if (type.AllInterfaces.Any(one => one.SpecialType is SpecialType.System_Collections_IEnumerable || one.Name == "IAsyncEnumerable"))
            reader._obstacles.Add(new(type, "is a list, which has no properties"));
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
        if (_types.Count == MostTypes)
        {
            if (!_hasTooMany) _obstacles.Add(new(_event, $"refers to more than {MostTypes} types"));
            _hasTooMany = true;
            return 0;
        }

        _types.Add((type, []));
        return _types.Count - 1;
    }

    void ReadMembers(int number)
    {
        var (type, members) = _types[number];
        if (WhyOwn(type) is { } own) _obstacles.Add(new(type, own));
        var found = new FoundMembers(this);
        var hiding = new HashSet<string>(StringComparer.Ordinal);
        for (INamedTypeSymbol? level = type; level is { SpecialType: not (SpecialType.System_Object or SpecialType.System_ValueType) }; level = level.BaseType)
        {
            var declared = level.GetMembers();
            foreach (var symbol in declared.OfType<IPropertySymbol>().Cast<ISymbol>().Concat(declared.OfType<IFieldSymbol>()).Where(symbol => !symbol.IsStatic))
                if (!found.IsOverriddenAndIgnored(symbol) && Read(symbol, type, hiding.Contains(symbol.Name)) is { } member) found.Add(member);
            hiding.UnionWith(declared.Select(symbol => symbol.Name));
        }

        members.AddRange(found.Written.OrderBy(member => member.Order));
    }

    /// <summary>A property as System.Text.Json sees it; null for one that is not serialized at all.</summary>
    /// <param name="symbol">The property or the field.</param>
    /// <param name="owner">The type that is read: the symbol's own, or one derived from it.</param>
    /// <param name="isHidden">Whether the owner has another member of the same name.</param>
    EventMember? Read(ISymbol symbol, INamedTypeSymbol owner, bool isHidden)
    {
        var attributes = new Dictionary<string, AttributeData>(StringComparer.Ordinal);
        foreach (var (attributeName, attribute) in Attributes(symbol)) attributes[attributeName] = attribute;
        var isIncluded = attributes.ContainsKey("JsonIncludeAttribute");
        var (type, getter) = symbol switch
        {
            IPropertySymbol { IsIndexer: false } property when isIncluded || IsPublic(property.GetMethod) || IsPublic(property.SetMethod) =>
                (property.Type, isIncluded || IsPublic(property.GetMethod) ? property.GetMethod : null),
            IFieldSymbol { AssociatedSymbol: null, IsImplicitlyDeclared: false } field when isIncluded => (field.Type, (ISymbol)field),
            _ => (null, null),
        };
        if (type is null) return null;

        var name = attributes.TryGetValue("JsonPropertyNameAttribute", out var given) && given.Argument() is string text ? text : symbol.Name;
        var order = attributes.TryGetValue("JsonPropertyOrderAttribute", out var ordered) && ordered.Argument() is int place ? place : 0;
        var presence = getter is null ? Presence.Never : Presence.WhenNotNull;
        if (attributes.TryGetValue("JsonIgnoreAttribute", out var ignore))
            presence = (ignore.NamedArguments.FirstOrDefault(argument => argument.Key == "Condition").Value.Value ?? 1) switch
            {
                1 => Presence.Ignored, // Always
                4 => Presence.Never, // WhenWriting
                0 when getter is not null => Presence.Always, // Never
                2 when getter is not null => Presence.WhenNotDefault, // WhenWritingDefault
                _ => presence,
            };
        if (presence is Presence.Never or Presence.Ignored)
        {
            // An override of the setter alone has no getter of its own, so System.Text.Json would leave the property out.
            if (symbol is IPropertySymbol { GetMethod: null, OverriddenProperty: not null } && presence is Presence.Never)
                _obstacles.Add(new(symbol, "overrides only the setter, so System.Text.Json would not write it: override the getter as well"));
            return new(symbol, name, type, Shape: null, presence, order, isHidden);
        }

        var why = attributes.Keys.FirstOrDefault(IsNotForWriting) is { } unsupported
            ? $"has [{unsupported.Replace("Attribute", "")}], which generated code does not support"
            : null;
        if (why is null && symbol is IPropertySymbol { RefKind: not RefKind.None }) why = "is returned by reference";
        if (why is null && symbol is IPropertySymbol { ExplicitInterfaceImplementations.IsEmpty: false })
            why = "implements an interface explicitly, so generated code cannot read it";
        if (why is null
            && symbol.GetAttributes().Any(one => one.AttributeClass?.ToDisplayString() == "System.ObsoleteAttribute"
                && one.ConstructorArguments.Any(argument => argument.Value is true)))
            why = "is obsolete with an error, so it cannot be read";
        if (why is null && !_compilation.IsSymbolAccessibleWithin(getter!, _event, isHidden ? symbol.ContainingType : owner))
            why = "is not accessible from the event";
        var shape = why is null ? _shapes.Of(type, out why) : null;
        if (name == "time" && SymbolEqualityComparer.Default.Equals(owner, _event) && shape is Shape.Plain { Moment: { } moment })
            shape = new Shape.Plain(moment, ["integer"]);
        if (why is not null) _obstacles.Add(new(symbol, why));
        return new(symbol, name, type, shape, presence, order, isHidden);
    }

    static bool IsPublic(IMethodSymbol? accessor) =>
        accessor is { DeclaredAccessibility: Accessibility.Public, ExplicitInterfaceImplementations.IsEmpty: true };

    /// <summary>The attributes of System.Text.Json, and those derived from them, by the name of its own.</summary>
    static IEnumerable<(string Name, AttributeData Attribute)> Attributes(ISymbol symbol)
    {
        foreach (var attribute in symbol.GetAttributes())
        {
            var type = attribute.AttributeClass;
            while (type is not null && type.ContainingNamespace.ToDisplayString() != Serialization) type = type.BaseType;
            if (type is not null && type.Name != "JsonAttribute") yield return (type.Name, attribute);
        }
    }

    /// <summary>Why System.Text.Json would not serialize a type by its properties; null if it would.</summary>
    public static string? WhyOwn(ITypeSymbol type)
    {
        foreach (var (name, _) in Attributes(type))
            if (IsNotForWriting(name)) return $"has a type with [{name.Replace("Attribute", "")}], {type.Name}, which generated code does not support";
        return null;
    }

    static bool IsNotForWriting(string attribute) =>
        !ForReadingAlone.Contains(attribute)
            && attribute is not ("JsonIgnoreAttribute" or "JsonIncludeAttribute" or "JsonPropertyNameAttribute" or "JsonPropertyOrderAttribute");

    /// <summary>The properties of a type, where those of derived types come first, with the precedence that System.Text.Json gives them.</summary>
    sealed class FoundMembers(ContractReader reader)
    {
        readonly List<EventMember> _members = [];
        readonly Dictionary<string, ISymbol> _ignored = new(StringComparer.Ordinal);

        public IEnumerable<EventMember> Written => _members.Where(member => member.Presence is not (Presence.Never or Presence.Ignored));

        /// <summary>Whether a derived type overrides the property and ignores it.</summary>
        public bool IsOverriddenAndIgnored(ISymbol symbol) =>
            symbol is IPropertySymbol property && IsVirtual(property) && _ignored.TryGetValue(property.Name, out var ignored) && ignored is IPropertySymbol same
                && IsVirtual(same) && SymbolEqualityComparer.Default.Equals(same.Type, property.Type);

        public void Add(EventMember member)
        {
            var at = _members.FindIndex(one => one.Name == member.Name);
            if (at < 0) _members.Add(member);
            else if (_members[at].Presence is Presence.Ignored) _members[at] = member;
            else if (member.Presence is not Presence.Ignored && _members[at].Symbol.Name != member.Symbol.Name
                && !(_ignored.TryGetValue(member.Symbol.Name, out var ignored)
                    && !SymbolEqualityComparer.Default.Equals(ignored.ContainingType, member.Symbol.ContainingType)))
                reader._obstacles.Add(new(member.Symbol,
                    $"has the same name in JSON as {_members[at].Symbol.Name}: give it another one with [JsonPropertyName]"));
            if (member.Presence is Presence.Ignored && !_ignored.ContainsKey(member.Symbol.Name)) _ignored.Add(member.Symbol.Name, member.Symbol);
        }

        static bool IsVirtual(IPropertySymbol property) => property.IsVirtual || property.IsAbstract || property.IsOverride;
    }
}

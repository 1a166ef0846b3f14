using Microsoft.CodeAnalysis;

namespace MixpanelConnector.Generators;

/// <summary>How a value is written.</summary>
abstract class Shape
{
    /// <summary>A scalar value.</summary>
    /// <param name="write">The C# that writes it, with {0} for the value.</param>
    /// <param name="types">Its types in a JSON schema.</param>
    /// <param name="moment">The C# that writes it as the event's time; null if the value is not a time.</param>
    public sealed class Plain(string write, string[] types, string? moment = null) : Shape
    {
        public string Write => write;

        public string? Moment => moment;

        public override string[] Types => types;
    }

    /// <summary>A list, written item by item.</summary>
    public sealed class List(Shape item, ITypeSymbol itemType, bool asInterface) : Shape
    {
        public Shape Item => item;

        public ITypeSymbol ItemType => itemType;

        /// <summary>Whether the items are enumerated through <c>IEnumerable</c> rather than the type's own enumerator.</summary>
        public bool AsInterface => asInterface;

        public override string[] Types => ["array"];
    }

    /// <summary>A dictionary.</summary>
    public sealed class Dictionary(string name, ITypeSymbol keyType, Shape value, ITypeSymbol valueType) : Shape
    {
        /// <summary>The C# that converts a key to a property name, with {0} for the key.</summary>
        public string Name => name;

        public ITypeSymbol KeyType => keyType;

        public Shape Value => value;

        public ITypeSymbol ValueType => valueType;

        public override string[] Types => ["object"];
    }

    /// <summary>An object with members.</summary>
    public sealed class Members(int number) : Shape
    {
        /// <summary>The index of its type among the types of the event.</summary>
        public int Number => number;

        public override string[] Types => ["object"];
    }

    /// <summary>Its types in a JSON schema.</summary>
    public abstract string[] Types { get; }
}

/// <summary>When a property is written.</summary>
enum Presence
{
    WhenNotNull,
    WhenNotDefault,
    Always,

    /// <summary>It cannot be read, but it hides a property of the same name in a base type.</summary>
    Never,

    /// <summary>It leaves its name to another property.</summary>
    Ignored,
}

/// <summary>A property of an event, or of an object in it.</summary>
/// <param name="Symbol">The property or the field.</param>
/// <param name="Name">Its name in JSON.</param>
/// <param name="Type">The type of its value.</param>
/// <param name="Shape">How its value is written.</param>
/// <param name="Presence">When it is written.</param>
/// <param name="Order">Its place among the others; lower ones come first.</param>
/// <param name="IsHidden">Whether a derived type has a member of the same name.</param>
sealed record EventMember(ISymbol Symbol, string Name, ITypeSymbol Type, Shape? Shape, Presence Presence, int Order, bool IsHidden)
{
    /// <summary>Whether it may be omitted.</summary>
    public bool MayBeAbsent =>
        Presence is Presence.WhenNotDefault
            || (Presence is Presence.WhenNotNull
                && (Type.NullableAnnotation is NullableAnnotation.Annotated || Type.OriginalDefinition.SpecialType is SpecialType.System_Nullable_T));
}

/// <summary>Why code cannot be generated.</summary>
/// <param name="Symbol">The symbol that prevents it.</param>
/// <param name="Reason">The reason, which follows "…" in a message.</param>
readonly record struct Obstacle(ISymbol Symbol, string Reason);

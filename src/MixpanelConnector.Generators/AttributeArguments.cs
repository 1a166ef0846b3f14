using Microsoft.CodeAnalysis;

namespace MixpanelConnector.Generators;

static class AttributeArguments
{
    /// <summary>The value of the first argument; null if there is none, or it is not a constant.</summary>
    public static object? Argument(this AttributeData attribute) =>
        attribute.ConstructorArguments.Length > 0 && attribute.ConstructorArguments[0] is { Kind: TypedConstantKind.Primitive, Value: var value }
            ? value
            : null;
}

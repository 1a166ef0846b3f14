using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Tracking.Values;

/// <summary>The names of the members of enumerations: as declared, or as <see cref="JsonStringEnumMemberNameAttribute"/> gives them.</summary>
static class EnumNames
{
    const string Separator = ", ";

    static readonly ConditionalWeakTable<Type, Dictionary<string, string>> Given = [];

    public static string Of(Enum value)
    {
        var name = value.ToString();
        var given = Given.GetValue(value.GetType(), GivenTo);
        if (given.Count == 0) return name;
        return name.Contains(Separator, StringComparison.Ordinal)
            ? string.Join(Separator, name.Split(Separator).Select(flag => given.GetValueOrDefault(flag, flag)))
            : given.GetValueOrDefault(name, name);
    }

    [UnconditionalSuppressMessage("Trimming", "IL2070",
        Justification = "The members of an enumeration that is in use are kept, since Enum.ToString needs their names.")]
    static Dictionary<string, string> GivenTo(Type type)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in type.GetFields(BindingFlags.Public | BindingFlags.Static))
            if (member.GetCustomAttribute<JsonStringEnumMemberNameAttribute>() is { } attribute) given.Add(member.Name, attribute.Name);
        return given;
    }
}

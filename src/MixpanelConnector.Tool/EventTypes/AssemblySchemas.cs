using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.EventTypes;

/// <summary>Reads the event schemas in an assembly. The assembly is only read, never loaded or run.</summary>
static class AssemblySchemas
{
    const string Attribute = nameof(MixpanelEventSchemaAttribute), Namespace = nameof(MixpanelConnector);

    /// <summary>The schema entries, sorted by event name.</summary>
    /// <exception cref="FormatException">The file is not an assembly, or its schemas were not written by the generator.</exception>
    public static IReadOnlyList<JsonObject> Read(byte[] assembly)
    {
        try
        {
            using var image = new PEReader(ImmutableArray.Create(assembly));
            if (!image.HasMetadata) throw new FormatException("it is not a .NET assembly");
            var reader = image.GetMetadataReader();
            if (!reader.IsAssembly) throw new FormatException("it is not a .NET assembly");
            var entries = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
            foreach (var handle in reader.GetAssemblyDefinition().GetCustomAttributes())
            {
                var attribute = reader.GetCustomAttribute(handle);
                if (!IsSchema(reader, attribute)) continue;
                var value = reader.GetBlobReader(attribute.Value);
                if (value.ReadUInt16() != 1 || value.ReadSerializedString() is not { } text || JsonNode.Parse(text) is not JsonObject entry
                    || (string?)entry["name"] is not { } name)
                    throw new FormatException("a schema in it is damaged");
                if (!entries.TryAdd(name, entry)) throw new FormatException($"two types in it have the event name '{name}': rename one of them");
            }

            return [.. entries.Values];
        }
        catch (Exception e) when (e is BadImageFormatException or JsonException or InvalidOperationException or ArgumentException or OverflowException)
        {
            throw new FormatException("it is not a .NET assembly, or is damaged", e);
        }
    }

    static bool IsSchema(MetadataReader reader, CustomAttribute attribute) =>
        attribute.Constructor is { Kind: HandleKind.MemberReference } constructor
            && reader.GetMemberReference((MemberReferenceHandle)constructor).Parent is { Kind: HandleKind.TypeReference } parent
        && reader.GetTypeReference((TypeReferenceHandle)parent) is var type && reader.StringComparer.Equals(type.Name, Attribute)
            && reader.StringComparer.Equals(type.Namespace, Namespace);
}

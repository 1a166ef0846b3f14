using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace MixpanelConnector;

/// <summary>A converter that provides the schema of what it reads.</summary>
interface IDescribesSchema
{
    JsonObject Schema();
}

/// <summary>Generates the JSON schema of an input or output, from the same type information that reads and writes it.</summary>
static class ActionSchema
{
    public static JsonObject Of(JsonTypeInfo type, Action<PropertyInfo, JsonObject>? annotate = null)
    {
        var schema = type.GetJsonSchemaAsNode(new JsonSchemaExporterOptions
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = (context, node) => Transform(context, node, annotate),
        }).AsObject();
        schema["properties"] ??= new JsonObject(); // an action without input
        return schema;
    }

    static JsonObject Transform(JsonSchemaExporterContext context, JsonNode node, Action<PropertyInfo, JsonObject>? annotate)
    {
        if ((context.PropertyInfo?.CustomConverter ?? context.TypeInfo.Converter) is IDescribesSchema known) node = known.Schema();
        if (context.TypeInfo.Type == typeof(MixpanelSecret)) node = new JsonObject { ["type"] = "string" };
        // For a type that accepts any JSON, the exporter writes the schema true, which has no room for a description.
        if (node is not JsonObject schema) schema = [];

        // The exporter omits schemas of items that it does not know.
        if (context.TypeInfo is { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } element }
            && context.TypeInfo.Options.GetTypeInfo(element).Converter is IDescribesSchema items)
            schema["items"] = items.Schema();
        if (context.TypeInfo.Kind is JsonTypeInfoKind.Object) AddDefaultsAndFreedom(context.TypeInfo, schema);

        // The exporter writes only the choices, including null.
        if (schema["enum"] is JsonArray choices)
        {
            schema.Remove("enum");
            schema["type"] = "string";
            schema["enum"] = new JsonArray([.. choices.Where(choice => choice is not null).Select(choice => choice!.DeepClone())]);
        }

        var property = context.PropertyInfo?.AttributeProvider as PropertyInfo;
        // Optional means absent, not null, except where null is written: plain types are easier for every reader.
        if (schema["type"] is JsonArray types && property?.GetCustomAttribute<JsonIgnoreAttribute>() is not { Condition: JsonIgnoreCondition.Never })
            schema["type"] = types.Select(t => t!.GetValue<string>()).First(t => t != "null");

        if (context.TypeInfo.Kind is JsonTypeInfoKind.Enumerable && schema["type"]?.ToString() is "array") schema["items"] ??= new JsonObject(); // any JSON

        if (property is not null)
        {
            if (property.GetCustomAttribute<DefaultValueAttribute>() is { Value: string text }) schema["default"] = text;
            if (property.GetCustomAttribute<ConfidentialAttribute>() is not null) schema["writeOnly"] = true;
            foreach (var limit in property.GetCustomAttributes<ValidationAttribute>()) AddLimit(schema, limit);
            annotate?.Invoke(property, schema);
        }

        return schema;
    }

    /// <summary>Keeps a property with a default required, with its default; allows further properties for a type that stores them.</summary>
    static void AddDefaultsAndFreedom(JsonTypeInfo type, JsonObject schema)
    {
        if (type.Properties.Any(p => p.IsExtensionData)) schema.Remove("additionalProperties");

        var required = type.Properties
            .Where(p => p.IsRequired || (p.AttributeProvider as PropertyInfo)?.GetCustomAttribute<DefaultValueAttribute>() is not null)
            .Select(p => (JsonNode)p.Name)
            .ToArray();
        if (required.Length > 0) schema["required"] = new JsonArray(required);
    }

    /// <summary>Adds the limits of a field, which <see cref="SchemaValidation"/> enforces.</summary>
    static void AddLimit(JsonObject schema, ValidationAttribute limit)
    {
        var isText = (string?)schema["type"] is "string" or null; // of any JSON, only a text has a length
        switch (limit)
        {
            case ItemLimitAttribute item:
                AddLimit((JsonObject)(schema["items"] ?? schema["additionalProperties"])!, item.Limit);
                break;
            case RangeAttribute range:
                schema["minimum"] = Convert.ToInt64(range.Minimum, CultureInfo.InvariantCulture);
                if (range.Maximum is int highest && highest < int.MaxValue) schema["maximum"] = (long)highest;
                break;
            case SizeAttribute size:
                if (size.Least > 0) schema[isText ? "minLength" : "minItems"] = size.Least;
                if (size.Most < int.MaxValue) schema[isText ? "maxLength" : "maxItems"] = size.Most;
                break;
            case RegularExpressionAttribute pattern:
                schema["pattern"] = TextForms.Whole(pattern.Pattern);
                break;
            case AllowedValuesAttribute allowed:
                schema["enum"] = new JsonArray([.. allowed.Values.Select(value => value is long number ? (JsonNode)number : (string)value!)]);
                break;
            default:
                throw new InvalidOperationException($"{limit.GetType().Name} is not known to the schema.");
        }
    }
}

/// <summary>A limit of each item of a list, or of each value of an object.</summary>
abstract class ItemLimitAttribute(ValidationAttribute limit) : ValidationAttribute
{
    public ValidationAttribute Limit { get; } = limit;
}

/// <summary>Limits the length of each text.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class ItemSizeAttribute(int least, int most = int.MaxValue) : ItemLimitAttribute(new SizeAttribute(least, most));

/// <summary>Limits each number.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class ItemRangeAttribute(int least, int most = int.MaxValue) : ItemLimitAttribute(new RangeAttribute(least, most));

/// <summary>Limits each text by a pattern, also to some values: generated clients of some languages send the enum values in a list as numbers.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class ItemPatternAttribute(string pattern) : ItemLimitAttribute(new RegularExpressionAttribute(pattern));

/// <summary>Limits the length of a text or the number of items of a list. The attributes of .NET require reflection that trimming removes.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class SizeAttribute(int least, int most = int.MaxValue) : ValidationAttribute
{
    public int Least { get; } = least;

    public int Most { get; } = most;
}

using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Readers;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Admission;

/// <summary>
/// The options that determine what is sent for a record, as stored in dead letters and applied again in a replay. Options for
/// parsing text and rows are not included: records were already parsed with these, and rows that yielded none have them stored alongside.
/// </summary>
static class ReplayOptions
{
    /// <summary>The number of bytes read to find the first dead letter.</summary>
    const int LongestHead = DeadLetterReader.LargestLine;

    /// <summary>Serializes the options to a JSON object; empty for none, which are events.</summary>
    /// <param name="request">The import.</param>
    /// <param name="lookedUp">A hash of the lookups of its mapping in other files; null for none.</param>
    public static byte[] Of(ImportRequest request, string? lookedUp = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            Write(json, "map", request.Columns);
            Write(json, "column_type",
                request.ColumnTypes.ToDictionary(pair => pair.Key, pair => pair.Value.ToString().ToLowerInvariant(), StringComparer.Ordinal));
            if (request.Mapping is { Vendor: { } vendor }) json.WriteString("vendor", vendor);
            if (request.Mapping is { Vendor: null } mapping)
            {
                json.WritePropertyName("mapping");
                json.WriteRawValue(mapping.Json);
            }

            if (lookedUp is not null) json.WriteString("looked_up", lookedUp);
            if (request.Identity is not ImportIdentity.Simplified) json.WriteString("identity", request.Identity.ToString().ToLowerInvariant());
            if (request.GroupKey is { } key) json.WriteString("group_key", key);
            if (request.Event is { } name) json.WriteString("event", name);
            Write(json, "rename", request.Rename);
            Write(json, "drop", request.Drop);
            Write(json, "fix", [.. ImportFixNames.Of(request.Fix)]);
            if (request.TimeFormat is { } format) json.WriteString("time_format", format);
            if (request.TimeZone is { } zone) json.WriteString("time_zone", zone);
            if (request.DecimalSeparator != '.') json.WriteString("decimal", request.DecimalSeparator.ToString());
            if (request.TimeOffset is { } offset) json.WriteNumber("time_offset", (long)offset.TotalSeconds);
            if (request.Properties is { } properties) Write(json, properties);
            if (request.Type is not ImportType.Events || json.BytesCommitted + json.BytesPending > 1) json.WriteString("type", NameOf(request.Type));
            json.WriteEndObject();
        }

        return buffer.WrittenSpan is [(byte)'{', (byte)'}'] ? [] : buffer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Adds the options of the import that its first dead letter is from to a replay. Options specified for the replay itself take precedence.
    /// </summary>
    /// <param name="request">The replay.</param>
    /// <param name="input">Its dead letters.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="MixpanelException">The options are unknown.</exception>
    public static async Task<ImportRequest> WithThoseOfAsync(ImportRequest request, InputFile input, CancellationToken cancellationToken)
    {
        try
        {
            var (decompressed, _) = await Decompression.OpenAsync(input, request, cancellationToken).ConfigureAwait(false);
            var (source, _) = await TranscodingByteSource.OpenAsync(decompressed, RecordReaders.OfText(request), cancellationToken).ConfigureAwait(false);
            using var window = new InputWindow(source);
            while (window.Unread.Length < LongestHead)
            {
                if (TryReadFirst(window.Unread, out var first)) return Merged(request, first);
                if (!await window.FillAsync(cancellationToken).ConfigureAwait(false)) break;
            }
        }
        catch (Exception e) when (e is InputException or JsonException)
        {
            // Reported when it is read.
        }

        return Merged(request, options: "");
    }

    /// <summary>Reads the first dead letter; false when it is incomplete.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    static bool TryReadFirst(ReadOnlySpan<byte> text, out JsonElement first)
    {
        if (text.StartsWith(InputText.ByteOrderMark)) text = text[InputText.ByteOrderMark.Length..];
        var reader = new Utf8JsonReader(text, isFinalBlock: false, default);
        var isRead = JsonElement.TryParseValue(ref reader, out var element);
        first = element ?? default;
        return isRead;
    }

    static ImportRequest Merged(ImportRequest request, JsonElement first)
    {
        if (first.ValueKind is JsonValueKind.Object && Member(first, DeadLetterReader.Options) is { } options) return Merged(request, options.GetRawText());
        if (request.GivenType is { } given and not ImportType.Events && IsOfEvent(first)) throw OfOtherType(request, ImportType.Events, given);
        return Merged(request, options: "");
    }

    /// <summary>Whether a dead letter without options is certainly of an event: earlier versions did not store the type of others either.</summary>
    static bool IsOfEvent(JsonElement letter)
    {
        if (letter.ValueKind is not JsonValueKind.Object) return false;
        if (Member(letter, "raw"u8) is { ValueKind: JsonValueKind.Object } raw && (Member(raw, "event"u8) ?? Member(raw, "properties"u8)) is not null)
            return true;
        return Member(letter, "field"u8) is { ValueKind: JsonValueKind.String } field && field.GetRawText() is var text
            && (text == "\"event\"" || text.StartsWith("\"properties", StringComparison.Ordinal));
    }

    /// <summary>A member; null if there is none, or another one has a name that is not valid Unicode.</summary>
    static JsonElement? Member(JsonElement parent, ReadOnlySpan<byte> name)
    {
        try
        {
            return parent.TryGetProperty(name, out var value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    static ImportRequest Merged(ImportRequest request, string options)
    {
        request = request with { ReplayedOptions = options };
        if (options.Length == 0) return request.Validated();
        try
        {
            using var document = JsonDocument.Parse(options);
            var kept = document.RootElement;
            if (Text(kept, "looked_up") is not null)
                throw MixpanelException.Invalid("replay",
                    $"The import of {request.Replay} looked up values in other files, which its dead letters do not contain: fix its inputs, "
                    + $"and import them again with {request.InWords[Setting.Restart]}. Accepted records keep their ids, so Mixpanel counts them once.");
            return (request with
            {
                Type = TypeOf(request, kept),
                Columns = Pairs(kept, "map", value => value, request.Columns),
                ColumnTypes = Pairs(kept, "column_type", value => Enum.Parse<ImportColumnType>(value, ignoreCase: true), request.ColumnTypes),
                Mapping = request.Mapping
                    ?? (Text(kept, "vendor") is { } vendor ? ImportMapping.OfVendor(vendor)
                        : kept.TryGetProperty("mapping", out var mapping) ? ImportMapping.Parse(mapping.GetRawText())
                        : null),
                Identity = Text(kept, "identity") is { } identity ? Enum.Parse<ImportIdentity>(identity, ignoreCase: true) : request.Identity,
                GroupKey = GroupKeyOf(request, kept),
                Event = request.Event ?? Text(kept, "event"),
                Rename = Pairs(kept, "rename", value => value, request.Rename),
                Drop = [.. request.Drop.Union(Texts(kept, "drop"), StringComparer.Ordinal)],
                Fix = Texts(kept, "fix").Aggregate(request.Fix, (fixes, fix) => fixes | ImportFixNames.Parse(fix)),
                TimeFormat = request.TimeFormat ?? Text(kept, "time_format"),
                TimeZone = request.TimeZone ?? Text(kept, "time_zone"),
                DecimalSeparator = request.DecimalSeparator == '.' && Text(kept, "decimal") is { Length: 1 } separator
                    ? separator[0]
                    : request.DecimalSeparator,
                Properties = kept.TryGetProperty("properties", out var properties) ? Together(request.Properties, properties) : request.Properties,
                TimeOffset = request.TimeOffset ?? (kept.TryGetProperty("time_offset", out var offset) ? TimeSpan.FromSeconds(offset.GetInt64()) : null),
            }).Validated();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            throw MixpanelException.Invalid("replay",
                $"The options in the first dead letter of {request.Replay} are not those of an import: remove \"options\" from the dead letters, "
                + $"and set them {request.InWords.Place}.");
        }
    }

    /// <exception cref="MixpanelException">Another type was specified.</exception>
    static ImportType TypeOf(ImportRequest request, JsonElement kept)
    {
        if (Text(kept, "type") is not { } name) return request.Type; // plain events, or stored by an earlier version
        var type = Array.Find(Enum.GetValues<ImportType>(), type => NameOf(type) == name);
        if (NameOf(type) != name) throw new FormatException(name);
        if (type is ImportType.LookupTable)
            throw MixpanelException.Invalid("replay",
                $"{request.Replay} contains rows of a lookup table, which is replaced as a whole: fix the file of the table, and import it again.");
        return request.GivenType is not { } given || given == type ? type : throw OfOtherType(request, type, given);
    }

    static MixpanelException OfOtherType(ImportRequest request, ImportType type, ImportType given) =>
        MixpanelException.Invalid("type",
            $"The dead letters in {request.Replay} are of type {NameOf(type)}, not {NameOf(given)}: omit {request.InWords[Setting.Type]}, they are replayed as what they are.");

    /// <exception cref="MixpanelException">The records are groups of another group key than the one that was specified.</exception>
    static string? GroupKeyOf(ImportRequest request, JsonElement kept)
    {
        if (Text(kept, "group_key") is not { } key) return request.GroupKey;
        if (request.GroupKey is { } given && given != key && Text(kept, "type") == NameOf(ImportType.Groups))
            throw MixpanelException.Invalid("group_key",
                $"The dead letters in {request.Replay} are groups of {key}, not of {given}: omit {request.InWords[Setting.GroupKey]}, it is taken from them.");
        return request.GroupKey ?? key;
    }

    static string NameOf(ImportType type) => type is ImportType.LookupTable ? "lookup-table" : type.ToString().ToLowerInvariant();

    /// <summary>Merges the specified shared properties with the stored ones, whose names are not overridden.</summary>
    static string Together(string? given, JsonElement kept)
    {
        if (given is null) return kept.GetRawText();
        using var document = JsonDocument.Parse(given);
        var own = document.RootElement.EnumerateObject().Select(member => member.Name).ToHashSet(StringComparer.Ordinal);
        var members = document.RootElement.EnumerateObject().Concat(kept.EnumerateObject().Where(member => !own.Contains(member.Name)));
        return $"{{{string.Join(',', members.Select(member => member.ToString()))}}}";
    }

    static string? Text(JsonElement kept, string name) => kept.TryGetProperty(name, out var text) ? text.GetString() : null;

    static Dictionary<string, T> Pairs<T>(JsonElement kept, string name, Func<string, T> read, IReadOnlyDictionary<string, T> given)
    {
        var pairs = new Dictionary<string, T>(given, StringComparer.Ordinal);
        if (kept.TryGetProperty(name, out var members))
            foreach (var member in members.EnumerateObject()) pairs.TryAdd(member.Name, read(member.Value.GetString()!));
        return pairs;
    }

    static IEnumerable<string> Texts(JsonElement kept, string name) =>
        kept.TryGetProperty(name, out var items) ? items.EnumerateArray().Select(item => item.GetString()!) : [];

    static void Write(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string> pairs)
    {
        if (pairs.Count == 0) return;
        json.WriteStartObject(name);
        foreach (var (key, value) in pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(key, value);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, string properties)
    {
        using var document = JsonDocument.Parse(properties);
        json.WritePropertyName("properties");
        document.RootElement.WriteTo(json); // single-line
    }

    static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> items)
    {
        if (items.Count == 0) return;
        json.WriteStartArray(name);
        foreach (var item in items) json.WriteStringValue(item);
        json.WriteEndArray();
    }
}

using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Map;

/// <summary>A lookup of a mapping in other files among the inputs, such as the owner of a device: finds the value for a key.</summary>
/// <param name="File">The name of the files, without folders and extensions.</param>
/// <param name="Key">The column or path of the key.</param>
/// <param name="Value">The column or path of the value.</param>
/// <param name="Columns">The names of the columns, when there is no header.</param>
/// <param name="Follow">A lookup that is applied to the key first, repeatedly, until it yields no other.</param>
sealed record LookupRule(string File, MappingPath Key, MappingPath Value, IReadOnlyList<string> Columns, LookupRule? Follow)
{
    /// <summary>Whether its files are only for lookups.</summary>
    public bool HoldsNoRecords { get; init; }

    /// <summary>Whether an input is one of its files.</summary>
    public bool IsOf(InputFile input) => RecordMapper.NameOf(input.Name) is var name && (name == File || (HoldsNoRecords && name.EndsWith($"-{File}", StringComparison.Ordinal)));
}

/// <summary>The lookups of an import, read before its first record.</summary>
sealed class MappingLookups
{
    /// <summary>The maximum number of entries kept, at about 200 bytes each.</summary>
    const int Most = 1_000_000;

    /// <summary>The limit that ends circular chains.</summary>
    const int LongestChain = 64;

    readonly Dictionary<LookupRule, Dictionary<string, string>> _tables = [];
    readonly Dictionary<string, LookupRule> _rules;
    readonly XxHash128 _hash = new();

    MappingLookups(Dictionary<string, LookupRule> rules) => _rules = rules;

    public static MappingLookups None { get; } = new([]);

    /// <summary>A hash of all of them; null when there are none.</summary>
    public string? Fingerprint { get; private set; }

    /// <summary>Reads the lookups of a mapping that are among the inputs.</summary>
    /// <exception cref="MixpanelException">There are too many, or they cannot be read.</exception>
    public static async ValueTask<MappingLookups> ReadAsync(ImportRequest request, List<InputFile> inputs, CancellationToken cancellationToken)
    {
        if (request.Mapping?.Lookups is not { Count: > 0 } rules || request.Replay is not null) return None;
        var lookups = new MappingLookups(rules);
        foreach (var rule in rules.Values)
            for (var one = rule; one is not null; one = one.Follow) await lookups.ReadAsync(one, request, inputs, cancellationToken).ConfigureAwait(false);
        if (lookups._tables.Values.Any(table => table.Count > 0)) lookups.Fingerprint = lookups._hash.GetCurrentHashAsUInt128().ToString("x32", CultureInfo.InvariantCulture);
        return lookups;
    }

    /// <summary>Looks up a key; null when it is unknown.</summary>
    public string? Find(string lookup, string key) => _rules.TryGetValue(lookup, out var rule) ? Find(rule, key) : null;

    string? Find(LookupRule rule, string key)
    {
        if (rule.Follow is { } chain)
            for (var i = 0; i < LongestChain && _tables.TryGetValue(chain, out var links) && links.TryGetValue(key, out var next) && next != key; i++) key = next;
        return _tables.TryGetValue(rule, out var table) ? table.GetValueOrDefault(key) : null;
    }

    async ValueTask ReadAsync(LookupRule rule, ImportRequest request, List<InputFile> inputs, CancellationToken cancellationToken)
    {
        var table = _tables[rule] = new(StringComparer.Ordinal);
        var view = new RecordView();
        var dialect = request with { Columns = request.Columns, Diagnostics = null };
        if (rule.Columns.Count > 0) dialect = dialect with { Format = "tsv", NoHeader = true, ColumnNames = rule.Columns, Quote = null, Escape = null, SkipLines = 0, Delimiter = null };
        foreach (var input in inputs.Where(input => input.Fault is null && rule.IsOf(input)))
        {
            try
            {
                using var reader = await RecordReaders.OpenAsync(input, reached: null, dialect, cancellationToken).ConfigureAwait(false);
                do Take(reader);
                while (await reader.FillAsync(cancellationToken).ConfigureAwait(false));
                Take(reader);
            }
            catch (InputException e)
            {
                throw MixpanelException.Invalid("input", $"{input.Name}, which the mapping uses for lookups, {e.Message}. Nothing was sent.");
            }
        }

        void Take(RecordReader reader)
        {
            while (reader.TryRead(out var record))
            {
                if (record is not { Kind: RecordKind.Json, Rejection: null } || !view.TryTake(record.Raw)) continue;
                var (key, value) = (rule.Key.Find(view, in Scope.Record), rule.Value.Find(view, in Scope.Record));
                if (!key.IsThere || !value.IsThere || value.Length == 0) continue;
                var from = view.TextOf(in key);
                var to = view.TextOf(in value);
                _hash.Append(from);
                _hash.Append("\0"u8);
                _hash.Append(to);
                _hash.Append("\0"u8);
                table[Encoding.UTF8.GetString(from)] = Encoding.UTF8.GetString(to);
                if (table.Count > Most) throw MixpanelException.Invalid("input", string.Create(CultureInfo.InvariantCulture, $"There are more than {Most} entries in {rule.File}, which the mapping uses for lookups. Split the export by users, and import its parts."));
            }
        }
    }
}

/// <summary>A value looked up in a lookup of the mapping; absent when it is not found.</summary>
sealed class LookedUpValue(MappingValue value, string lookup) : MappingValue
{
    public override Found Read(RecordView record, in Scope scope)
    {
        var found = value.Read(record, in scope);
        if (!found.IsThere || found.Type is JsonTokenType.StartObject or JsonTokenType.StartArray) return Found.Nothing;
        return record.Lookups.Find(lookup, Encoding.UTF8.GetString(record.TextOf(in found))) is { Length: > 0 } meant ? record.MadeText(Encoding.UTF8.GetBytes(meant)) : Found.Nothing;
    }
}

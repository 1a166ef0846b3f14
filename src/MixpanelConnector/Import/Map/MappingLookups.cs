using System.Globalization;
using System.IO.Enumeration;
using System.IO.Hashing;
using System.Text;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Readers;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Map;

/// <summary>A lookup of a mapping in other files among the inputs, such as the owner of a device: finds the value for a key.</summary>
/// <param name="File">The name of the files, without folders and extensions, or of their table; or a glob.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
/// <param name="Columns">The names of the columns, when there is no header.</param>
/// <param name="Follow">A lookup that is applied to the key first, repeatedly, until it yields no other.</param>
sealed record LookupRule(string File, MappingValue Key, MappingValue Value, IReadOnlyList<string> Columns, LookupRule? Follow)
{
    /// <summary>Whether its files are only for lookups.</summary>
    public bool HoldsNoRecords { get; init; }

    /// <summary>Whether it is for all files with records that have its key.</summary>
    public bool IsGlob => File.Contains('*', StringComparison.Ordinal);

    /// <summary>This lookup, and those that are followed first.</summary>
    public IEnumerable<LookupRule> Chain
    {
        get
        {
            for (var rule = this; rule is not null; rule = rule.Follow) yield return rule;
        }
    }

    /// <summary>Whether an input is one of its files.</summary>
    public bool IsOf(InputFile input) =>
        RecordMapper.TableOf(input) is var name
            && (name == File || (IsGlob && FileSystemName.MatchesSimpleExpression(File, name, ignoreCase: false))
                || (HoldsNoRecords && name.EndsWith($"-{File}", StringComparison.Ordinal)));
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
    readonly HashSet<LookupRule> _missing = [];
    readonly XxHash128 _hash = new();
    readonly Action<string, string> _warn;

    MappingLookups(Dictionary<string, LookupRule> rules, Action<string, string> warn) => (_rules, _warn) = (rules, warn);

    public static MappingLookups None { get; } = new([], (_, _) => { });

    /// <summary>A hash of all of them; null when there are none.</summary>
    public string? Fingerprint { get; private set; }

    /// <summary>Reads the lookups of a mapping that are among the inputs.</summary>
    /// <param name="request">The import.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="warn">Receives the name of a file, and what is unusual about its lookups.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="MixpanelException">There are too many, or they cannot be read.</exception>
    public static async ValueTask<MappingLookups> ReadAsync(ImportRequest request, List<InputFile> inputs, Action<string, string> warn,
        CancellationToken cancellationToken)
    {
        if (request.Mapping?.Lookups is not { Count: > 0 } rules || request.Replay is not null) return None;
        var lookups = new MappingLookups(rules, warn);
        foreach (var rule in rules.Values.SelectMany(rule => rule.Chain))
            await lookups.ReadAsync(rule, request, inputs, cancellationToken).ConfigureAwait(false);
        if (lookups._tables.Values.Any(table => table.Count > 0)) lookups.Fingerprint = Hash128.Of(lookups._hash).ToString();
        return lookups;
    }

    /// <summary>Looks up a key; null when it is unknown.</summary>
    public string? Find(string lookup, string key) => _rules.TryGetValue(lookup, out var rule) ? Find(rule, key) : null;

    string? Find(LookupRule rule, string key)
    {
        if (_missing.Remove(rule)) _warn(rule.File, "No input has this name, in which the mapping looks up values: they remain unknown.");
        if (rule.Follow is { } chain)
            for (var i = 0; i < LongestChain && _tables.TryGetValue(chain, out var links) && links.TryGetValue(key, out var next) && next != key; i++)
                key = next;
        return _tables.TryGetValue(rule, out var table) ? table.GetValueOrDefault(key) : null;
    }

    async ValueTask ReadAsync(LookupRule rule, ImportRequest request, List<InputFile> inputs, CancellationToken cancellationToken)
    {
        var table = _tables[rule] = new(StringComparer.Ordinal);
        var view = new RecordView();
        var dialect = request with { Columns = request.Columns, Diagnostics = null };
        if (rule.Columns.Count > 0)
            dialect = dialect with
            {
                Format = "tsv",
                NoHeader = true,
                ColumnNames = rule.Columns,
                ColumnsFrom = $"the mapping of {request.Mapping!.Name}",
                Quote = null,
                Escape = null,
                SkipLines = 0,
                Delimiter = null,
            };
        var files = inputs.FindAll(input => input.Fault is null && rule.IsOf(input) && (!rule.IsGlob || input.CanBeReadTwice));
        if (files.Count == 0 && !rule.IsGlob) _missing.Add(rule);
        foreach (var input in files)
        {
            var (isFirst, changed) = (true, 0L);
            try
            {
                using var reader = await RecordReaders.OpenAsync(input, reached: null, dialect, cancellationToken).ConfigureAwait(false);
                var goesOn = true;
                do goesOn = Take(reader, ref isFirst, ref changed);
                while (goesOn && await reader.FillAsync(cancellationToken).ConfigureAwait(false));
                if (goesOn) Take(reader, ref isFirst, ref changed);
                if (reader.HasPartialRecord && !rule.IsGlob) throw new InputException("ends within a record: it is truncated");
                if (changed > 0)
                    _warn(input.Name,
                        $"{Counted.Of(changed, "record gives a key", "records give keys")} another value than an earlier one: "
                        + $"the mapping looks up the last one.");
            }
            catch (InputException e)
            {
                throw MixpanelException.Invalid("input", $"{input.Name}, which the mapping uses for lookups, {e.Message}. Nothing was sent.");
            }
        }

        bool TryRead(in Record record, out Found key, out Found value, out string? repeated)
        {
            (key, value, repeated) = (Found.Nothing, Found.Nothing, null);
            try
            {
                if (record is not { Kind: RecordKind.Json, Rejection: null } || !view.TryTake(record.Raw)) return false;
                (key, value) = (rule.Key.Read(view, in Scope.Record), rule.Value.Read(view, in Scope.Record));
                if (view.Tree.Repeated is [var member, ..]) repeated = $"{Columns.RecordFields.Shown(view.PathOf(member))} is in its object twice";
                return repeated is null && !key.IsContainer && !value.IsContainer && view.TextOf(in key).Length >= 0 && view.TextOf(in value).Length >= 0
                    && !view.Tree.TryFindLost(from: 0, out _, out _);
            }
            catch (InvalidOperationException)
            {
                return false; // half of a surrogate pair
            }
        }

        // False when the file is not one of the lookup's.
        bool Take(RecordReader reader, ref bool isFirst, ref long changed)
        {
            while (reader.TryRead(out var record))
            {
                if (record.Kind is RecordKind.Blank) continue;
                if (!TryRead(in record, out var key, out var value, out var repeated))
                {
                    // Without it, records would silently lack what it says. Files that a glob finds contain records, which are rejected when they are read.
                    if (!rule.IsGlob)
                        throw new InputException(string.Create(CultureInfo.InvariantCulture,
                            $"has a record that cannot be read in line {record.Line}{((record.Rejection?.Message.In(request.InWords) ?? repeated) is { } why ? $" ({why})" : "")}: correct it, or remove it"));
                    continue;
                }

                if (rule.IsGlob && isFirst && !key.IsThere) return false;
                isFirst = false;
                if (!key.IsThere || !value.IsThere || value.Length == 0) continue;
                var from = view.TextOf(in key);
                var to = view.TextOf(in value);
                _hash.Append(from);
                _hash.Append("\0"u8);
                _hash.Append(to);
                _hash.Append("\0"u8);
                var (known, meant) = (Encoding.UTF8.GetString(from), Encoding.UTF8.GetString(to));
                if (!table.TryAdd(known, meant) && table[known] != meant)
                {
                    table[known] = meant;
                    changed++;
                }

                if (table.Count > Most)
                    throw MixpanelException.Invalid("input",
                        string.Create(CultureInfo.InvariantCulture,
                            $"There are more than {Most} entries in {rule.File}, which the mapping uses for lookups. Split the export by users, "
                            + $"and import its parts."));
            }

            return true;
        }
    }
}

/// <summary>A value looked up in a lookup of the mapping; absent when it is not found.</summary>
sealed class LookedUpValue(MappingValue value, string lookup) : MappingValue
{
    public override Found Read(RecordView record, in Scope scope)
    {
        var taken = record.Tree.Takes;
        var found = value.Read(record, in scope);
        if (!found.IsThere || IsLostIn(record, in found)) return Found.Nothing;
        return record.Lookups.Find(lookup, Encoding.UTF8.GetString(record.TextOf(in found))) is { Length: > 0 } meant
            ? record.MadeText(Encoding.UTF8.GetBytes(meant))
            : Failed(record, in found, taken);
    }
}

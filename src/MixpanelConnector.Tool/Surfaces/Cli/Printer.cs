using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Prints results and problems. Control characters in external text never reach a terminal.</summary>
sealed class Printer(HostEnvironment host, bool asTable)
{
    const int MostColumns = 8;
    const int WidthElsewhere = 160;

    /// <summary>Fields that stand for a place on the command line. A message says itself which word it is about.</summary>
    static readonly string[] Places = [UnknownWord.Argument, UnknownWord.Option];

    /// <summary>Writes one JSON text, indented on a terminal, otherwise as a line.</summary>
    public void Json(ReadOnlyMemory<byte> json)
    {
        if (asTable)
        {
            using var document = JsonDocument.Parse(json);
            Table(document.RootElement);
            return;
        }

        var text = new MemoryStream(json.Length + 1);
        using (var document = JsonDocument.Parse(json))
        using (var writer =
            new Utf8JsonWriter(text, new JsonWriterOptions { Indented = host.OutputIsTerminal, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            document.WriteTo(writer);
        }

        text.WriteByte((byte)'\n');
        WriteJson(text.GetBuffer().AsSpan(0, (int)text.Length));
    }

    /// <summary>Writes one JSON text as exactly one line.</summary>
    public void JsonLine(ReadOnlyMemory<byte> json)
    {
        var line = new byte[json.Length + 1];
        json.CopyTo(line);
        line[^1] = (byte)'\n';
        WriteJson(line);
    }

    /// <summary>
    /// A program receives the JSON unchanged. On a terminal, JSON escapes are not enough: the encoder does not escape characters that change the text direction
    /// or have no width.
    /// </summary>
    void WriteJson(ReadOnlySpan<byte> json) =>
        host.Output.Write(host.OutputIsTerminal ? Encoding.UTF8.GetBytes(Clean(Encoding.UTF8.GetString(json))) : json);

    public void Text(string text) => host.Output.Write(Encoding.UTF8.GetBytes(text));

    /// <summary>Writes a problem to standard error: as text for a person, as JSON for a program.</summary>
    public void Problem(MixpanelError error)
    {
        error = error with { Message = ErrorTable.LocalMessage(error) };
        if (!asTable && !host.ErrorIsTerminal)
        {
            host.Error.WriteLine(Clean(Encoding.UTF8.GetString(ErrorTable.Problem(error).Span)));
            return;
        }

        var where =
            error.Field is { } field && !Places.Contains(field, StringComparer.Ordinal) && !error.Message.Contains(field, StringComparison.OrdinalIgnoreCase)
            ? $"{field}: "
            : "";
        var request = error.RequestId is { } id ? $" (Mixpanel's request id: {Clean(id)})" : "";
        host.Error.WriteLine($"mixpanel: {where}{Clean(error.Message)}{request}");
    }

    /// <summary>
    /// Escapes every character that could move a cursor, change a colour or change the text direction, in the syntax of a JSON escape. Line breaks of our own
    /// messages are kept.
    /// </summary>
    public static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value != '\n' && UnsafeText.IsUnsafe(rune))
                foreach (var unit in rune.ToString()) clean.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
            else
                clean.Append(rune.ToString());
        }

        return clean.ToString();
    }

    /// <summary>Prints the report of an import, for a person.</summary>
    public void Report(ImportReport report)
    {
        var table = new Spectre.Console.Table().Border(TableBorder.Rounded).HideHeaders().AddColumn("").AddColumn(new TableColumn("").RightAligned());
        Add("read", report.Read);
        Add("accepted", report.Accepted, Color.Green);
        Add("rejected", report.Rejected, Color.Maroon);
        Add("pending", report.Pending, Color.Olive);
        Add("blank", report.Blank);
        foreach (var (why, count) in report.LeftOut ?? FrozenDictionary<string, long>.Empty) Add($"left out: {why}", count);
        foreach (var (what, count) in report.Mapped ?? FrozenDictionary<string, long>.Empty) Add($"mapped: {what}", count);
        table.AddRow("bytes", report.Bytes.ToString("N0", CultureInfo.InvariantCulture));
        table.AddRow("requests", report.Requests.ToString("N0", CultureInfo.InvariantCulture));
        Add("retries", report.Retries, Color.Olive);
        if (report.ResumedFrom > 0) Add("resumed from", report.ResumedFrom);
        if (JsonElement.Parse(report.ToJson()).TryGetProperty("fixed", out var cleaned))
            foreach (var kind in cleaned.EnumerateObject()) Add($"fixed: {kind.Name}", kind.Value.GetInt64());
        table.AddRow("seconds", report.ElapsedSeconds.ToString("N1", CultureInfo.InvariantCulture));
        table.AddRow("per second", (report.Accepted / Math.Max(report.ElapsedSeconds, 0.001)).ToString("N0", CultureInfo.InvariantCulture));
        NewConsole().Write(table);
        foreach (var reason in report.Reasons ?? [])
            Text(Clean($"{reason.Count.ToString("N0", CultureInfo.InvariantCulture)} {reason.Code}: {string.Join("; ", reason.Samples.Select(sample => $"{sample.Place}: {sample.Message}"))}".ReplaceLineEndings(" "))
                + "\n");

        // A plain line: a long path is not wrapped, so that it can be copied.
        if (report is { Rejected: > 0, DeadLetter: { } path }) Text($"dead letters: {Clean(path)}\n");

        void Add(string name, long count, Color? colour = null) =>
            table.AddRow(new Text(name),
                new Text(count.ToString("N0", CultureInfo.InvariantCulture), colour is { } some && count > 0 ? new Style(some) : Style.Plain));
    }

    /// <summary>Prints a migration, one row per part; then the days with rejected or pending records.</summary>
    public void Report(MigrationReport report)
    {
        var table = new Spectre.Console.Table().Border(TableBorder.Rounded).AddColumn("");
        foreach (var column in (string[])["read", "accepted", "rejected", "left out", "pending"]) table.AddColumn(new TableColumn(column).RightAligned());
        Add("schemas", report.Schemas);
        Add("lookup tables", report.LookupTables);
        Add("events", report.Events);
        foreach (var day in report.Events?.Days.Where(day => day.Rejected > 0 || day.Pending > 0) ?? [])
            Add($"  {day.Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}", day);
        Add("profiles", report.Profiles);
        foreach (var (key, groups) in report.Groups ?? FrozenDictionary<string, MigrationCounts>.Empty) Add($"groups: {key}", groups);
        Add("annotations", report.Annotations);
        NewConsole().Write(table);
        foreach (var (part, counts) in new (string, MigrationCounts?)[]
        {
            ("lookup tables", report.LookupTables),
            ("events", report.Events),
            ("profiles", report.Profiles),
            ("annotations", report.Annotations),
        })
        {
            foreach (var (why, count) in counts?.LeftOut ?? FrozenDictionary<string, long>.Empty)
                Text($"left out of {part}: {count.ToString("N0", CultureInfo.InvariantCulture)} {Clean(why)}\n");
            if (counts?.AmbiguousTime is > 0 and var twice) Text($"times that exist twice: {twice.ToString("N0", CultureInfo.InvariantCulture)}\n");
        }

        Text($"not migrated: {string.Join(", ", report.NotMigrated)}\n");
        if (report.Verified is { } isVerified) Text($"verified: {(isVerified ? "the target contains what it accepted" : "the target differs")}\n");
        Text($"seconds: {report.ElapsedSeconds.ToString("N1", CultureInfo.InvariantCulture)}\n");
        if (report.DeadLetter is { } path) Text($"dead letters: {Clean(path)}\n");

        void Add(string name, MigrationCounts? counts)
        {
            if (counts is null) return;
            table.AddRow(Cell(name), Number(counts.Read), Number(counts.Accepted, Color.Green), Number(counts.Rejected, Color.Maroon),
                Number(counts.LeftOut.Values.Sum()), Number(counts.Pending, Color.Olive));
        }

        static Text Number(long count, Color? colour = null) =>
            new(count.ToString("N0", CultureInfo.InvariantCulture), colour is { } some && count > 0 ? new Style(some) : Style.Plain);
    }

    IAnsiConsole NewConsole()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(new StreamWriter(host.Output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true)
            {
                AutoFlush = true,
            }),
            Ansi = host.OutputIsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = host is { OutputIsTerminal: true, WantsColour: true }
                ? ColorSystemSupport.Standard
                : ColorSystemSupport.NoColors, // the terminal's own colours, which fit its background
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = host.OutputWidth(WidthElsewhere);
        return console;
    }

    void Table(JsonElement root)
    {
        var console = NewConsole();
        var facts = new List<(string Name, string Value)>();
        var tables = new List<(string Title, Spectre.Console.Table? Table, JsonElement Items)>();
        Gather("", root, facts, tables);
        foreach (var (title, table, items) in tables)
        {
            if (title.Length > 0) Text($"{Clean(title)}\n");
            if (table is not null) console.Write(table);
            else foreach (var (item, index) in items.EnumerateArray().Select((item, index) => (item, index)))
            {
                if (index > 0) Text("\n");
                Facts("  ", [.. Flat("", item)]);
            }
        }

        Facts("", facts);
    }

    /// <summary>
    /// Lists of objects, and two-level maps of numbers, become tables; everything else becomes facts. Members of nested objects get their full path as a name.
    /// </summary>
    void Gather(string name, JsonElement value, List<(string Name, string Value)> facts,
        List<(string Title, Spectre.Console.Table? Table, JsonElement Items)> tables)
    {
        if (value.ValueKind is JsonValueKind.Array && value.EnumerateArray().Any(item => item.ValueKind is JsonValueKind.Object))
        {
            tables.Add((name, ListTable(value), value));
        }
        else if (value.ValueKind is not JsonValueKind.Object || !value.EnumerateObject().Any())
        {
            facts.Add((name, Show(value)));
        }
        else if (name.Length > 0 && Grid(value) is { } grid)
        {
            tables.Add((name, grid, default));
        }
        else
        {
            foreach (var member in value.EnumerateObject()) Gather(name.Length == 0 ? member.Name : $"{name}.{member.Name}", member.Value, facts, tables);
        }
    }

    /// <summary>
    /// An object of objects of scalar values, such as counts by event and day, as a table: a row for each inner key, a column for each outer one. Null for
    /// anything else, and if there are too many columns.
    /// </summary>
    static Spectre.Console.Table? Grid(JsonElement value)
    {
        var columns = value.EnumerateObject().ToList();
        if (columns.Count > MostColumns
            || columns.Any(column => column.Value.ValueKind is not JsonValueKind.Object
                || column.Value.EnumerateObject().Any(cell => cell.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)))
            return null;
        var table = new Spectre.Console.Table().Border(TableBorder.Rounded).AddColumn("");
        foreach (var column in columns) table.AddColumn(new TableColumn(Cell(column.Name)));
        foreach (var row in columns.SelectMany(column => column.Value.EnumerateObject().Select(cell => cell.Name)).Distinct(StringComparer.Ordinal))
            table.AddRow([Cell(row), .. columns.Select(column => Cell(column.Value.TryGetProperty(row, out var cell) ? Show(cell) : ""))]);
        return table;
    }

    /// <summary>A list as a table if it fits; null if it does not: then its items are printed one below the other, with nothing truncated or omitted.</summary>
    Spectre.Console.Table? ListTable(JsonElement list)
    {
        var rows = list.EnumerateArray().Select(Row).ToList();
        var columns = rows.SelectMany(row => row.Keys).Distinct(StringComparer.Ordinal).ToList();
        var width = 1 + columns.Sum(column => 3 + Math.Max(column.Length, rows.Max(row => row.GetValueOrDefault(column, "").Length)));
        if (width > host.OutputWidth(WidthElsewhere)) return null;
        var table = new Spectre.Console.Table().Border(TableBorder.Rounded);
        foreach (var column in columns) table.AddColumn(new TableColumn(Cell(column)));
        foreach (var row in rows) table.AddRow(columns.Select(column => (IRenderable)Cell(row.GetValueOrDefault(column, ""))));
        return table;
    }

    /// <summary>The members of a value at any depth, each with its full path as a name.</summary>
    static IEnumerable<(string Name, string Value)> Flat(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object when value.EnumerateObject().Any() =>
            value.EnumerateObject().SelectMany(member => Flat(name.Length == 0 ? member.Name : $"{name}.{member.Name}", member.Value)),
        JsonValueKind.Array when value.EnumerateArray().Any(item => item.ValueKind is JsonValueKind.Object) =>
            value.EnumerateArray().SelectMany((item, index) => Flat(string.Create(CultureInfo.InvariantCulture, $"{name}[{index}]"), item)),
        _ => [(name.Length == 0 ? "value" : name, Show(value))],
    };

    void Facts(string indent, List<(string Name, string Value)> facts)
    {
        // Plain lines: a long path is not wrapped, so that it can be copied.
        var width = facts.Count == 0 ? 0 : facts.Max(fact => fact.Name.Length);
        foreach (var (name, value) in facts) Text($"{indent}{Clean(name).PadRight(width)}  {Clean(value.ReplaceLineEndings(" "))}\n");
    }

    /// <summary>
    /// An item's members, and those one level below. If both have a member of the same name, the inner one is prefixed with the name of the outer one.
    /// </summary>
    static Dictionary<string, string> Row(JsonElement item)
    {
        if (item.ValueKind is not JsonValueKind.Object) return new(StringComparer.Ordinal) { ["value"] = Show(item) };
        var row = item.EnumerateObject()
            .Where(member => member.Value.ValueKind is not JsonValueKind.Object)
            .ToDictionary(member => member.Name, member => Show(member.Value), StringComparer.Ordinal);
        foreach (var outer in item.EnumerateObject().Where(member => member.Value.ValueKind is JsonValueKind.Object))
        {
            foreach (var inner in outer.Value.EnumerateObject())
            {
                if (!row.TryAdd(inner.Name, Show(inner.Value))) row[$"{outer.Name}.{inner.Name}"] = Show(inner.Value);
            }
        }

        return row;
    }

    /// <summary>A value on one line, as JSON without its quotes.</summary>
    static string Show(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "",
        JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(ShowWithin)),
        JsonValueKind.Object => string.Join(", ", value.EnumerateObject().Select(member => $"{member.Name}: {ShowWithin(member.Value)}")),
        _ => value.GetRawText(),
    };

    static string ShowWithin(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => $"[{Show(value)}]",
        JsonValueKind.Object => $"{{{Show(value)}}}",
        JsonValueKind.Null => "null",
        _ => Show(value),
    };

    static Text Cell(string text) => new(Clean(text.ReplaceLineEndings(" ")));
}

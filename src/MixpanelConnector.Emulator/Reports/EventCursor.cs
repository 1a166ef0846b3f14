using System.Text;
using DuckDB.NET.Data;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Reports;

/// <summary>Iterates over the events of a report, as expressions see them: <c>properties</c> is the event, <c>user</c> its profile.</summary>
sealed class EventCursor : ISelectorRecord, IDisposable
{
    readonly DuckDBConnection _connection;
    readonly DuckDBCommand _command;
    readonly DuckDBDataReader _row;
    readonly JsonSelectorRecord? _properties;
    readonly Dictionary<string, JsonSelectorRecord>? _users;
    readonly LookupJoin? _eventJoin;
    readonly LookupJoin? _userJoin;
    readonly Func<string, string> _resolve;
    readonly SelectorContext _context;
    readonly QueryBudget? _budget = QueryBudget.Current;
    byte[] _json = [];
    string? _name, _distinctId;

    /// <param name="connection">The connection, disposed with the cursor.</param>
    /// <param name="command">Returns name, time, distinct_id and properties.</param>
    /// <param name="properties">The properties of events that will be read, without duplicates.</param>
    /// <param name="users">The profiles that <c>user</c> can refer to; null if no expression uses it.</param>
    /// <param name="eventJoin">Lookup tables by properties of events, if any is used.</param>
    /// <param name="userJoin">Lookup tables by properties of users.</param>
    /// <param name="resolve">Returns the canonical id of a <c>distinct_id</c>.</param>
    /// <param name="context">The other inputs of expressions.</param>
    public EventCursor(
        DuckDBConnection connection, DuckDBCommand command, IReadOnlyList<string> properties, Dictionary<string, JsonSelectorRecord>? users,
        LookupJoin? eventJoin, LookupJoin? userJoin,
        Func<string, string> resolve, SelectorContext context)
    {
        _connection = connection;
        _command = command;
        _users = users;
        _resolve = resolve;
        _context = context;
        _eventJoin = eventJoin;
        _userJoin = userJoin;
        _properties = properties.Count > 0
            ? new JsonSelectorRecord([.. properties.Select(name => new PropertyReference(PropertyRoot.Properties, name))])
            : null;
        _command.UseStreamingMode = true;
        _row = _command.ExecuteReader();
    }

    public string Name => _name ??= _row.GetString(0);

    public DateTimeOffset Time { get; private set; }

    /// <summary>The canonical id of the user; empty for nobody.</summary>
    public string DistinctId => _distinctId ??= _resolve(_row.GetString(2));

    /// <summary>All properties as JSON text, if the query reads them.</summary>
    public string Properties
    {
        get
        {
            using var text = new StreamReader(_row.GetStream(3), Encoding.UTF8);
            return text.ReadToEnd();
        }
    }

    /// <exception cref="OperationCanceledException">The caller of the query has disconnected.</exception>
    public bool Read()
    {
        _budget?.CheckCaller();
        if (!_row.Read()) return false;
        (_name, _distinctId) = (null, null);
        Time = _row.GetTime(1);
        if (_properties is not null) Load(_properties);
        return true;
    }

    void Load(JsonSelectorRecord properties)
    {
        using var json = _row.GetStream(3);
        var length = (int)json.Length;
        if (_json.Length < length) _json = new byte[length * 2];
        json.ReadExactly(_json, 0, length);
        properties.Load(_json.AsSpan(0, length));
    }

    public bool Holds(Selector? where) => where is null || Where.Holds(where, this, _context);

    public SelectorValue Evaluate(Selector on) => Where.Evaluate(on, this, _context, "on");

    public SelectorValue Get(PropertyRoot root, string name) => (root, name) switch
    {
        (PropertyRoot.Properties, "distinct_id") => SelectorValue.FromText(DistinctId),
        (PropertyRoot.Properties, "$time") => SelectorValue.FromDateTime(Time),
        (PropertyRoot.Properties, _) => _properties!.Get(root, name) is { IsUndefined: true } && _eventJoin is not null
            ? _eventJoin.Get(name, key => _properties.Get(root, key))
            : _properties.Get(root, name),
        (PropertyRoot.User, _) => _users!.TryGetValue(DistinctId, out var user) ? GetOfUser(user, name) : SelectorValue.Undefined,
        _ => SelectorValue.Undefined,
    };

    SelectorValue GetOfUser(JsonSelectorRecord user, string name) => user.Get(PropertyRoot.User, name) is { IsUndefined: true } && _userJoin is not null
        ? _userJoin.Get(name, key => user.Get(PropertyRoot.User, key))
        : user.Get(PropertyRoot.User, name);

    public void Dispose()
    {
        _row.Dispose();
        _command.Dispose();
        _connection.Dispose();
    }
}

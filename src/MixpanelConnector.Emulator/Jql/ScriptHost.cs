using System.Text;
using System.Text.Json;
using Acornima.Ast;
using Jint;
using Jint.Native;
using Jint.Runtime.Interop;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Jql;

/// <summary>The functions that the JQL library calls: to read sources, to sort, to measure, and to signal the next item.</summary>
sealed class ScriptHost
{
    readonly Engine _engine;
    readonly ScriptLimits _limits;
    readonly JqlReader _reader;
    readonly List<JqlSource> _sources = [];

    ScriptHost(Engine engine, ScriptLimits limits, JqlReader reader)
    {
        _engine = engine;
        _limits = limits;
        _reader = reader;
    }

    /// <summary>Installs the library in an engine.</summary>
    /// <returns>A function that passes the items of the collection returned by <c>main()</c> to a callback.</returns>
    public static Action<JsValue, Action<JsValue>> Install(Engine engine, ScriptLimits limits, JqlReader reader, IEnumerable<Prepared<Script>> library)
    {
        var host = new ScriptHost(engine, limits, reader).AsObject();
        var last = JsValue.Undefined;
        foreach (var part in library)
            last = engine.Evaluate(part).Call(host);
        return (returned, sink) => last.Call(returned, Function(engine, "sink", arguments =>
        {
            sink(arguments[0]);
            return JsValue.Undefined;
        }));
    }

    JsObject AsObject()
    {
        var host = new JsObject(_engine);
        void Add(string name, Func<JsValue[], JsValue> function) => host.Set(name, Function(_engine, name, function));
        Add("events", arguments => Keep(EventsSource.Read(Options(arguments[0]))));
        Add("people", arguments => Keep(PeopleSource.Read(Options(arguments[0]))));
        Add("join", arguments => Keep(JoinSource.Read(SourceOf(arguments[0]), SourceOf(arguments[1]), Options(arguments[2]))));
        Add("read", arguments =>
        {
            _reader.Read(SourceOf(arguments[0]), item =>
            {
                Step();
                arguments[1].Call(item);
            });
            return JsValue.Undefined;
        });
        Add("order", arguments => Order((JsArray)arguments[0], arguments[1].AsBoolean()));
        Add("measure", arguments =>
        {
            ResultWriter.Measure(arguments[0], _limits);
            return JsValue.Undefined;
        });
        Add("step", _ =>
        {
            Step();
            return JsValue.Undefined;
        });
        return host;
    }

    static ClrFunction Function(Engine engine, string name, Func<JsValue[], JsValue> function) =>
        new(engine, name, (_, arguments) => function(arguments), 0, default);

    JsValue Keep(JqlSource source)
    {
        _sources.Add(source);
        return _sources.Count - 1;
    }

    JqlSource SourceOf(JsValue handle) => _sources[(int)handle.AsNumber()];

    static JsonElement Options(JsValue text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text.AsString());
        var options = JsonElement.Parse(utf8);
        return options.ValueKind == JsonValueKind.Object && JsonText.AreAllValid(utf8)
            ? options
            : throw new RefusedException(JqlScript.Failed, "Events(), People() and join() take objects of whole text");
    }

    /// <summary>Starts the next item: resets the allocation count of the previous one, but not the memory in use.</summary>
    void Step() => _engine.Constraints.Reset();

    /// <summary>The indexes of the keys in sorted order, stable for equal ones: missing values, then booleans, numbers, strings.</summary>
    JsArray Order(JsArray keys, bool isDescending)
    {
        var sorted = new (int Rank, double Number, string Text, int Index)[keys.Length];
        for (var i = 0; i < sorted.Length; i++)
        {
            sorted[i] = keys[(uint)i] switch
            {
                JsBoolean truth => (1, truth.AsBoolean() ? 1 : 0, "", i),
                JsNumber number => (2, number.AsNumber(), "", i),
                JsString text => (3, 0, text.ToString(), i),
                _ => (0, 0, "", i),
            };
        }
        Array.Sort(sorted, (a, b) =>
        {
            _limits.Spend(1);
            var order = a.Rank != b.Rank ? a.Rank.CompareTo(b.Rank) : a.Rank == 3 ? string.CompareOrdinal(a.Text, b.Text) : a.Number.CompareTo(b.Number);
            return order == 0 ? a.Index.CompareTo(b.Index) : isDescending ? -order : order;
        });
        return new JsArray(_engine, Array.ConvertAll(sorted, key => (JsValue)JsNumber.Create(key.Index)));
    }
}

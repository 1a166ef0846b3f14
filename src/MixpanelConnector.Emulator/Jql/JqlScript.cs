using System.Globalization;
using System.Text.RegularExpressions;
using Acornima;
using Acornima.Ast;
using Jint;
using Jint.Constraints;
using Jint.Native;
using Jint.Runtime;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Jql;

/// <summary>A JQL script: JavaScript in sloppy mode whose <c>main()</c> returns a collection.</summary>
static class JqlScript
{
    /// <summary>The status of a script that failed.</summary>
    public const int Failed = 412;

    const string Name = "script";
    const int LongestMessage = 500;

    /// <summary>The JQL library, which is also JavaScript, so that the limits of scripts apply to it.</summary>
    static readonly Lazy<Prepared<Script>[]> Library = new(() => [.. ((string[])["safeguards", "underscore", "reducers", "collections"]).Select(Prepare)]);

    /// <summary>Runs a script on the calling thread.</summary>
    /// <param name="script">The source text.</param>
    /// <param name="parameters">The value of <c>params</c>, as JSON.</param>
    /// <param name="longest">The maximum duration of the script.</param>
    /// <param name="now">The current time, for <c>new Date()</c>.</param>
    /// <param name="read">Creates the reader of sources.</param>
    /// <param name="item">Called for each item of the result.</param>
    /// <param name="callerLeft">Cancelled when nobody waits for the result any more.</param>
    /// <exception cref="RefusedException">The script is not valid, fails, or exceeds a limit.</exception>
    public static void Run(
        string script, string parameters, TimeSpan longest, Func<DateTimeOffset> now, Func<Engine, ScriptLimits, JqlReader> read,
        Action<JsValue, ScriptLimits> item, CancellationToken callerLeft)
    {
        try
        {
            var program = Engine.PrepareScript(script, Name);
            if (program.Program!.DescendantNodes().OfType<BigIntLiteral>().Any()) throw new RefusedException(Failed, "BigInt is not available in scripts");
            if (program.Program!.DescendantNodes().OfType<RegExpLiteral>().Any(literal => literal.RegExp.Pattern.Length > ScriptLimits.LongestPatternText))
                throw new RefusedException(Failed, $"a regular expression is longer than {ScriptLimits.LongestPatternText} characters");
            var deadline = new OperationDeadlineConstraint();
            var limits = new ScriptLimits(deadline);
            var engine = new Engine(options => Configure(options, limits, deadline, now));
            deadline.Begin(longest, callerLeft);
            var deliver = ScriptHost.Install(engine, limits, read(engine, limits), Library.Value);
            engine.SetValue("params", new Jint.Native.Json.JsonParser(engine).Parse(parameters));
            engine.Execute(program);
            if (engine.GetValue("main") is not { } main || !main.IsCallable())
                throw new RefusedException(Failed, "the script must define a function main() that returns a collection");
            deliver(main.Call(), value => item(value, limits));
        }
        catch (Exception e) when (MessageOf(e, script, longest) is { } message)
        {
            throw new RefusedException(Failed, message);
        }
    }

    static void Configure(Options options, ScriptLimits limits, OperationDeadlineConstraint deadline, Func<DateTimeOffset> now)
    {
        options.LimitMemory(ScriptLimits.MostAllocatedAtOnce);
        options.Constraint(limits);
        options.Constraint(deadline);
        options.Constraints.MaxArraySize = ScriptLimits.LongestArray;
        options.Constraints.RegexTimeout = ScriptLimits.LongestPattern;
        options.Constraints.StackOverflowGuard = true;
        options.AgentCanSuspend = false;
        options.Culture = CultureInfo.InvariantCulture;
        options.TimeSystem = new ScriptTime(now);
        options.DisableStringCompilation();
    }

    static Prepared<Script> Prepare(string part)
    {
        using var text = new StreamReader(typeof(JqlScript).Assembly.GetManifestResourceStream($"Jql.{part}.js")!);
        return Engine.PrepareScript(text.ReadToEnd(), $"{part}.js");
    }

    /// <summary>The error message of the script; null if the error is not caused by the script, or was already reported.</summary>
    static string? MessageOf(Exception e, string script, TimeSpan longest) => e switch
    {
        RefusedException refused => refused.Status == 400 ? refused.Message : null,
        JavaScriptException { Error: var error } when error is not Jint.Native.Object.ObjectInstance instance || !instance.HasProperty("message") =>
            Uncaught(error.IsObject() ? "an object that is no Error was thrown" : error.ToString(), "Error", null, script),
        JavaScriptException thrown => Uncaught(thrown.Message, NameOf(thrown), thrown.Location.SourceFile == Name ? thrown.Location.Start : null, script),
        ScriptPreparationException { InnerException: ParseErrorException error } =>
            Uncaught(error.Description, "SyntaxError", Position.From(error.LineNumber, error.Column), script),
        ScriptPreparationException or InsufficientExecutionStackException => Uncaught("the script nests too deeply", "SyntaxError", null, script),
        RegexMatchTimeoutException => $"a regular expression takes more than {ScriptLimits.LongestPattern.TotalSeconds:0} second",
        TimeoutException => ScriptLimits.TooMuchTime(longest),
        MemoryLimitExceededException or OutOfMemoryException => ScriptLimits.TooMuchMemory,
        JintException => Uncaught(e.Message, "Error", null, script),
        _ => null,
    };

    static string NameOf(JavaScriptException thrown) =>
        thrown.Error is Jint.Native.Object.ObjectInstance error && error.Get("name") is JsString name ? name.ToString() : "Error";

    /// <summary>In the format of the service: the message, the line, and the position in it.</summary>
    static string Uncaught(string message, string name, Position? at, string script)
    {
        if (message.Length > LongestMessage) message = message[..LongestMessage] + "…";
        var text = $"Uncaught exception {name}: {message}";
        if (at is not { } position || script.Split('\n') is not { } lines || position.Line < 1 || position.Line > lines.Length) return text;
        var from = Math.Max(0, position.Column - 60);
        var line = lines[position.Line - 1].TrimEnd('\r');
        return $"{text} (line {position.Line}, column {position.Column + 1})\n  {line[Math.Min(from, line.Length)..Math.Min(line.Length, from + 120)]}\n  {new string(' ', position.Column - from)}^";
    }

    /// <summary>The clock of scripts. Their time zone is UTC, because the times of events are already in the project's time zone.</summary>
    sealed class ScriptTime(Func<DateTimeOffset> now) : ITimeSystem
    {
        readonly DefaultTimeSystem _inner = new(TimeZoneInfo.Utc, CultureInfo.InvariantCulture);

        public TimeZoneInfo DefaultTimeZone => TimeZoneInfo.Utc;

        public DateTimeOffset GetUtcNow() => now();

        public bool TryParse(string date, out long epochMilliseconds) => _inner.TryParse(date, out epochMilliseconds);

        public TimeSpan GetUtcOffset(long epochMilliseconds) => TimeSpan.Zero;
    }
}

using System.Text;

namespace MixpanelConnector.Storage;

/// <summary>
/// A glob for keys: <c>*</c>, <c>?</c> and <c>[…]</c> do not match a slash, <c>**</c> does; <c>**/</c> also matches nothing. Every other character matches
/// itself.
/// </summary>
sealed class KeyPattern
{
    enum Kind
    {
        One,
        Any,
        Set,
        Some,
        All,
        Folders,
    }

    readonly List<Step> _steps = [];

    /// <summary>The literal prefix, before the first wildcard.</summary>
    public string Literal { get; }

    /// <summary>The folder that contains all matching keys: <see cref="Literal"/> up to its last slash.</summary>
    public string Folder => Literal[..(Literal.LastIndexOf('/') + 1)];

    public KeyPattern(string pattern)
    {
        Literal = pattern[..Math.Max(0, pattern.AsSpan().IndexOfAny("*?["))];
        var runes = pattern.EnumerateRunes().ToArray();
        for (var at = 0; at < runes.Length; at++) _steps.Add(StepAt(runes, ref at));
    }

    public static bool IsPattern(string key) => key.AsSpan().IndexOfAny("*?[") >= 0;

    /// <summary>Whether a key matches, in time proportional to the product of both lengths at most.</summary>
    public bool Matches(string key)
    {
        var (now, next) = (new bool[_steps.Count + 1], new bool[_steps.Count + 1]);
        Reach(now, 0);
        foreach (var rune in key.EnumerateRunes())
        {
            Array.Clear(next);
            for (var at = 0; at < _steps.Count; at++)
                if (now[at]) Pass(next, at, rune);
            (now, next) = (next, now);
        }

        return now[^1];
    }

    /// <summary>Advances from a step over one character.</summary>
    void Pass(bool[] next, int at, Rune rune)
    {
        var step = _steps[at];
        var isSlash = rune == (Rune)'/';
        switch (step.Kind)
        {
            case Kind.One when rune == step.Rune:
            case Kind.Any when !isSlash:
            case Kind.Set when !isSlash && step.Holds(rune):
                Reach(next, at + 1);
                break;
            case Kind.Some when !isSlash:
            case Kind.All:
                Reach(next, at);
                break;
            case Kind.Folders:
                next[at] = true; // the step after it may start only after a slash
                if (isSlash) Reach(next, at + 1);
                break;
        }
    }

    /// <summary>Marks a step as reached, and the steps after it while a step may match nothing.</summary>
    void Reach(bool[] steps, int at)
    {
        for (; !steps[at]; at++)
        {
            steps[at] = true;
            if (at == _steps.Count || _steps[at].Kind is not (Kind.Some or Kind.All or Kind.Folders)) return;
        }
    }

    static Step StepAt(Rune[] pattern, ref int at)
    {
        switch (pattern[at].Value)
        {
            case '?':
                return new(Kind.Any);
            case '*' when at + 1 == pattern.Length || pattern[at + 1].Value != '*':
                return new(Kind.Some);
            case '*':
                var isFolder = (at == 0 || pattern[at - 1].Value == '/') && at + 2 < pattern.Length && pattern[at + 2].Value == '/';
                at += isFolder ? 2 : 1;
                return new(isFolder ? Kind.Folders : Kind.All);
            case '[' when Array.FindIndex(pattern, Math.Min(pattern.Length, at + (at + 1 < pattern.Length && pattern[at + 1].Value is '!' or '^' ? 3 : 2)),
                rune => rune.Value == ']') is var end
                and > 0:
                var isNot = pattern[at + 1].Value is '!' or '^';
                var set = pattern[(at + (isNot ? 2 : 1))..end];
                at = end;
                return new(Kind.Set) { Set = set, IsNot = isNot };
            default:
                return new(Kind.One) { Rune = pattern[at] };
        }
    }

    sealed record Step(Kind Kind)
    {
        public Rune Rune { get; init; }

        public Rune[] Set { get; init; } = [];

        public bool IsNot { get; init; }

        public bool Holds(Rune rune)
        {
            for (var at = 0; at < Set.Length; at++)
            {
                var isRange = at + 2 < Set.Length && Set[at + 1].Value == '-';
                if (rune >= Set[at] && rune <= Set[isRange ? at + 2 : at]) return !IsNot;
                if (isRange) at += 2;
            }

            return IsNot;
        }
    }
}

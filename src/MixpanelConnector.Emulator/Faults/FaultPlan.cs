using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Faults;

/// <summary>Selects the fault for a request, if any. Reproducible as long as requests arrive in the same order.</summary>
sealed class FaultPlan
{
    readonly Lock _lock = new();
    EmulatorFaults _faults = new();
    Random _random = new(0);
    int[] _seen = [];
    int[] _happened = [];

    public FaultPlan(EmulatorFaults? faults) => Replace(faults ?? new EmulatorFaults());

    public void Replace(EmulatorFaults faults)
    {
        lock (_lock)
        {
            _faults = faults;
            _random = new Random(faults.Seed);
            _seen = new int[faults.Rules.Count];
            _happened = new int[faults.Rules.Count];
        }
    }

    /// <summary>The faults, and how often each rule was applied.</summary>
    public (EmulatorFaults Faults, IReadOnlyList<int> Happened) Show()
    {
        lock (_lock)
            return (_faults, [.. _happened]);
    }

    public EmulatorFault? Next(HttpRequest request)
    {
        lock (_lock)
        {
            for (var i = 0; i < _faults.Rules.Count; i++)
            {
                var rule = _faults.Rules[i];
                if (!Concerns(rule, request) || _seen[i]++ < rule.After || _happened[i] >= rule.Times || _random.NextDouble() >= rule.Rate) continue;
                _happened[i]++;
                return rule;
            }
            return null;
        }
    }

    static bool Concerns(EmulatorFault rule, HttpRequest request)
    {
        var path = request.Path.Value ?? "";
        if (path == "/healthz" || path.StartsWith("/emulator/", StringComparison.Ordinal)) return false;
        if (rule.Method is not null && !rule.Method.Equals(request.Method, StringComparison.OrdinalIgnoreCase)) return false;
        return rule.Path.EndsWith('*') ? path.StartsWith(rule.Path[..^1], StringComparison.Ordinal) : path == rule.Path;
    }
}

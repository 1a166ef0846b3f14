namespace MixpanelConnector.Emulator.Reports;

/// <summary>How far one user got in a funnel, and the time of each step.</summary>
readonly record struct FunnelPath(long[] StepTicks, string? Segment);

/// <summary>
/// The paths of the users of a funnel. Each user counts once: with the attempt that gets furthest, and the earliest of those. An attempt starts with an event
/// of the first step, and takes each further step as early as possible within the window.
/// </summary>
sealed class FunnelPaths(int steps, TimeSpan window)
{
    readonly Dictionary<string, List<(long Ticks, ulong Steps, string? Segment)>> _events = new(StringComparer.Ordinal);

    /// <param name="distinctId">The user.</param>
    /// <param name="time">The time; not before that of an event added earlier.</param>
    /// <param name="matches">The steps that the event matches, one bit each.</param>
    /// <param name="segment">The segment of the user if they enter with this event.</param>
    public void Add(string distinctId, DateTimeOffset time, ulong matches, string? segment)
    {
        if (!_events.TryGetValue(distinctId, out var events)) _events.Add(distinctId, events = []);
        events.Add((time.UtcTicks, matches, segment));
    }

    /// <summary>Returns the path of each user who entered before a point in time.</summary>
    public IEnumerable<FunnelPath> Find(DateTimeOffset end)
    {
        foreach (var events in _events.Values)
        {
            var positions = new List<int>[steps];
            for (var step = 0; step < steps; step++)
                positions[step] = [.. Enumerable.Range(0, events.Count).Where(i => (events[i].Steps & (1UL << step)) != 0)];
            FunnelPath? best = null;
            foreach (var entry in positions[0])
            {
                if (events[entry].Ticks >= end.UtcTicks) break;
                var path = Follow(events, positions, entry);
                if (best is null || path.Count > best.Value.StepTicks.Length) best = new FunnelPath([.. path], events[entry].Segment);
                if (path.Count == steps) break;
            }
            if (best is not null) yield return best.Value;
        }
    }

    List<long> Follow(List<(long Ticks, ulong Steps, string? Segment)> events, List<int>[] positions, int entry)
    {
        var path = new List<long> { events[entry].Ticks };
        var at = entry;
        for (var step = 1; step < steps; step++)
        {
            var next = positions[step].BinarySearch(at + 1);
            next = next < 0 ? ~next : next;
            if (next == positions[step].Count) break;
            at = positions[step][next];
            if (events[at].Ticks - events[entry].Ticks > window.Ticks) break;
            path.Add(events[at].Ticks);
        }
        return path;
    }
}

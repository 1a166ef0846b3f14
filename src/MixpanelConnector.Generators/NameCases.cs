using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace MixpanelConnector.Generators;

/// <summary>Finds names that differ only in case, within an event and in all events of a compilation.</summary>
sealed class NameCases(CompilationAnalysisContext context)
{
    public void Report(IEnumerable<EventType> all)
    {
        var events = all.OrderBy(type => type.Symbol.ToDisplayString(), StringComparer.Ordinal).ToList();
        foreach (var group in events.GroupBy(type => type.Name, StringComparer.OrdinalIgnoreCase))
        {
            var usual = Usual(group.Select(type => type.Name));
            var first = group.First(type => type.Name == usual);
            foreach (var type in group.Where(type => type.Name != usual))
                Report(Diagnostics.EventCase, Places.Argument(type.Attribute, context.CancellationToken), type, usual, type.Name, usual, first.Symbol.Name);
        }

        var properties = events.SelectMany(type => type.Members.Select(member => (Type: type, Member: member))).ToList();
        foreach (var group in properties.GroupBy(one => one.Member.Name, StringComparer.OrdinalIgnoreCase))
        {
            var usual = Usual(group.Select(one => one.Member.Name));
            var first = group.First(one => one.Member.Name == usual);
            foreach (var (type, member) in group.Where(one => one.Member.Name != usual))
            {
                var both = group.Any(one => one.Type == type && one.Member.Name == usual);
                Report(Diagnostics.PropertyCase, Places.OfName(member.Symbol, context.Compilation, context.CancellationToken), type, both ? null : usual,
                    member.Name, usual, both ? type.Symbol.Name : first.Type.Symbol.Name);
            }
        }
    }

    /// <summary>The most frequent spelling; the first one of equally frequent ones.</summary>
    static string Usual(IEnumerable<string> names) => names.GroupBy(name => name, StringComparer.Ordinal).OrderByDescending(name => name.Count()).First().Key;

    void Report(DiagnosticDescriptor descriptor, Location? place, EventType type, string? proposed, params object[] arguments)
    {
        var hints = proposed is null ? null : ImmutableDictionary<string, string?>.Empty.Add(Diagnostics.Hints.Name, proposed);
        context.ReportDiagnostic(Diagnostic.Create(descriptor, place ?? type.Symbol.Locations[0], hints, arguments));
    }
}

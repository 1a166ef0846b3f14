using System.Text.Json.Serialization;

#pragma warning disable CA1069, CA1720, CA2217, MA0048, MA0062, MIXP008 // the members of these kinds are what is tested

namespace MixpanelConnector.Generators.Tests;

/// <summary>Events with enumerations whose members have other names in JSON.</summary>
static class EnumSamples
{
    public static IEnumerable<object> All =>
    [
        new Subscribed(Tier.Free, Seen: null, Features.None, null, null),
        new Subscribed(Tier.ProPlus, Tier.Odd, Features.Export | Features.Import,
            new Dictionary<Tier, Features?> { [Tier.ProPlus] = Features.Import, [Tier.Free] = null }, [Tier.Odd, null, (Tier)7]),
        new Subscribed((Tier)8, Tier.AlsoOdd, Features.All | (Features)8, new Dictionary<Tier, Features?> { [(Tier)9] = (Features)16 }, []),
        new Subscribed(Tier.@class, Tier.@class, Features.Import, null, null),
    ];
}

enum Tier
{
    Free,

    [JsonStringEnumMemberName("pro+")]
    ProPlus,

    [JsonStringEnumMemberName("{0} \"quoted\" é \\")]
    Odd,

    [JsonStringEnumMemberName("keyword")]
    @class,

    AlsoOdd = Odd,
}

[Flags]
enum Features
{
    None,

    [JsonStringEnumMemberName("data-import")]
    Import,

    Export,

    [JsonStringEnumMemberName("everything")]
    All = Import | Export | 4,
}

[MixpanelEvent("Subscribed")]
sealed partial record Subscribed(Tier Tier, Tier? Seen, Features Features, IReadOnlyDictionary<Tier, Features?>? ByTier, IReadOnlyList<Tier?>? Tiers);

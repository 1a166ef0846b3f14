using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace MixpanelConnector.Tests.DependencyInjection;

/// <summary>The settings of an application, read from a configuration.</summary>
public class MixpanelSettingsTests
{
    public static TheoryData<string> Values =>
        [.. typeof(MixpanelSettings).GetProperties().Where(property => Text(property) is not null).Select(property => property.Name)];

    [Theory, MemberData(nameof(Values))]
    public void Every_setting_that_is_one_value_is_read(string name)
    {
        var property = typeof(MixpanelSettings).GetProperty(name)!;
        var settings = new MixpanelSettings();
        var before = property.GetValue(settings);

        settings.Bind("", Sections((name.ToLowerInvariant(), Text(property)!)));

        Assert.NotEqual(before, property.GetValue(settings));
    }

    [Theory, MemberData(nameof(Values))]
    public void Every_setting_that_is_one_value_reaches_the_options(string name)
    {
        var settings = new MixpanelSettings { ServiceAccountUsername = "account", ServiceAccountSecret = new("secret") };
        settings.Bind("", Sections((name, Text(typeof(MixpanelSettings).GetProperty(name)!)!)));
        object?[] options = [settings.ToOptions(), settings.ToTrackerOptions(), settings.ToOptions().ServiceAccount];
        var changed = options.Select(one => one!.GetType().GetProperty(name.Replace("ServiceAccount", "", StringComparison.Ordinal))?.GetValue(one))
            .Single(value => value is not null);

        Assert.Equal(typeof(MixpanelSettings).GetProperty(name)!.GetValue(settings), changed);
    }

    [Fact]
    public void Every_setting_that_is_a_section_is_read()
    {
        var settings = new MixpanelSettings();

        settings.Bind("",
            Sections(("SuperProperties:app", "shop"), ("SampleRates:Viewed", "0.5"), ("Redaction:Names:0", "email"), ("Redaction:Patterns", "x+"),
                ("Redaction:EmailAddresses", "true"), ("Redaction:CardNumbers", "true"), ("Redaction:Replacement", "?")));

        Assert.Equal(("shop", 0.5), ((string?)settings.SuperProperties["app"], settings.SampleRates["Viewed"]));
        Assert.Equal(("email", "x+", true, true, "?"),
            (settings.Redaction!.Names.Single(), settings.Redaction.Patterns.Single(), settings.Redaction.EmailAddresses, settings.Redaction.CardNumbers,
                settings.Redaction.Replacement));
    }

    /// <summary>A text that changes a setting of one value; null for one that only code can set, or a section.</summary>
    static string? Text(PropertyInfo property) => (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) switch
    {
        var type when type == typeof(string) || type == typeof(MixpanelSecret) => "text",
        var type when type == typeof(long) || type == typeof(int) => "17",
        var type when type == typeof(bool) => property.GetValue(new MixpanelSettings()) is true ? "false" : "true",
        var type when type == typeof(TimeSpan) => "00:00:17",
        var type when type == typeof(Uri) => "https://example.com",
        { IsEnum: true } type => Enum.GetNames(type)[^1],
        _ => null,
    };

    static IEnumerable<IConfigurationSection> Sections(params (string Name, string Value)[] entries) =>
        new ConfigurationBuilder().AddInMemoryCollection(entries.Select(entry =>
            KeyValuePair.Create<string, string?>(entry.Name, entry.Value))).Build().GetChildren();
}

using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Selectors;

namespace MixpanelConnector.Emulator.Store;

/// <summary>Finds the profiles that a query asks for.</summary>
sealed class ProfileQuery(ProfileStore profiles, TimeProvider time)
{
    /// <summary>The ids of the profiles that match, in a fixed order.</summary>
    /// <param name="kind">Which profiles.</param>
    /// <param name="where">The expression that must hold; null for all.</param>
    /// <param name="among">The only ids to consider; null for all.</param>
    /// <exception cref="RefusedException">The expression is not valid.</exception>
    public IReadOnlyList<string> Find(ProfileKind kind, string? where, IReadOnlyList<string>? among)
    {
        var candidates = among is null
            ? profiles.Read(kind)
            : profiles.Find(kind, among).Select(profile => new ProfileRow(profile.Key, profile.Value));
        var matches = where is null ? candidates : Filter(candidates, where);
        var ids = matches.Select(profile => profile.Id).ToArray();
        Array.Sort(ids, StringComparer.Ordinal);
        return ids;
    }

    IEnumerable<ProfileRow> Filter(IEnumerable<ProfileRow> candidates, string where)
    {
        var selector = Where.Parse(where, SelectorDialect.Engage);
        var context = new SelectorContext(time.GetUtcNow(), TimeZoneInfo.Utc);
        var record = new ProfileRecord(selector);
        foreach (var profile in candidates)
        {
            record.Load(profile);
            if (Where.Holds(selector, record, context))
                yield return profile;
        }
    }

    /// <summary>A profile's properties; its id is among them.</summary>
    sealed class ProfileRecord(Selector selector) : ISelectorRecord
    {
        readonly JsonSelectorRecord _properties = new(selector);
        string _id = "";

        public void Load(ProfileRow profile)
        {
            _id = profile.Id;
            _properties.Load(profile.Properties);
        }

        public SelectorValue Get(PropertyRoot root, string name) =>
            root == PropertyRoot.Properties && name == "$distinct_id" ? SelectorValue.FromText(_id) : _properties.Get(root, name);
    }
}

using System.Collections.Frozen;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>Values that clients send by mistake for "nobody": Mixpanel rejects them as <c>distinct_id</c> and <c>$insert_id</c>.</summary>
static class ForbiddenIds
{
    static readonly FrozenSet<string> Values = FrozenSet.ToFrozenSet(
        [
            "00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown",
            "<nil>", "0", "-1", "true", "false", "[]", "{}",
        ],
        StringComparer.OrdinalIgnoreCase);

    public static bool Contain(string id) => Values.Contains(id);
}

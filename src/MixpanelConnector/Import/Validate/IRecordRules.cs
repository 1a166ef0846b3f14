using System.Text.Json;

namespace MixpanelConnector.Import.Validate;

/// <summary>What a type of record asks of the keys and values at its two upper levels. Called in the order of the text.</summary>
interface IRecordRules
{
    /// <summary>The most keys of an object and elements of an array below the second level, and of objects within objects; null where Mixpanel judges alone.</summary>
    NestingLimits? Limits { get; }

    /// <summary>A key at level 1 (of the record) or 2 (of a value of the record).</summary>
    Rejection? Key(ref readonly Utf8JsonReader reader, int level);

    /// <summary>The value of the last key at a level: a scalar, or the beginning of an object or array.</summary>
    Rejection? Value(ref readonly Utf8JsonReader reader, int level);
}

/// <param name="Properties">The most keys at the second level.</param>
/// <param name="Keys">The most keys of an object below.</param>
/// <param name="Elements">The most elements of an array.</param>
/// <param name="Depth">The most objects within one another below the second level.</param>
sealed record NestingLimits(int Properties, int Keys, int Elements, int Depth);

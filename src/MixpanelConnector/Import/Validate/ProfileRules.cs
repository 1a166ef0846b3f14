using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Validate;

/// <summary>The rules for an update of a user profile, or of a group profile if there is a group key, and what is needed to complete it.</summary>
/// <param name="token">The project token.</param>
/// <param name="groupKey">The property that identifies the groups; null for users.</param>
/// <param name="asked">The repairs that were requested, so that others can be proposed.</param>
sealed class ProfileRules(string token, string? groupKey, ImportFixes asked = ImportFixes.None) : IRecordRules
{
    static readonly SettingText NumberMayBeText = $"{Setting.FixIds} converts a number to text";

    static readonly Rejection TokenDiffers = new("token_differs", "$token", "the record has another project's token than the configured one");
    static readonly Rejection DistinctIdMissing = new("distinct_id_missing", "$distinct_id", "$distinct_id is missing or blank");
    static readonly Rejection DistinctIdInvalid = new("distinct_id_invalid", "$distinct_id", "$distinct_id must be a string of at most 255 characters");
    static readonly Rejection DistinctIdMayBeText = DistinctIdInvalid with { Message = $"{DistinctIdInvalid.Message}. {NumberMayBeText}" };
    static readonly Rejection DistinctIdBanned =
        new("distinct_id_banned", "$distinct_id", "Mixpanel does not accept this $distinct_id: it is a placeholder for no user");
    static readonly Rejection DistinctIdPresent = new("distinct_id_present", "$distinct_id", "an update of a group must not have a $distinct_id");
    static readonly Rejection GroupKeyDiffers = new("group_key_differs", "$group_key", "the record has another group key than the import");
    static readonly Rejection GroupIdMissing = new("group_id_missing", "$group_id", "$group_id is missing or blank");
    static readonly Rejection GroupIdInvalid = new("group_id_invalid", "$group_id", "$group_id must be a string of at most 255 characters");
    static readonly Rejection GroupIdMayBeText = GroupIdInvalid with { Message = $"{GroupIdInvalid.Message}. {NumberMayBeText}" };
    static readonly Rejection OperationMissing =
        new("operation_missing", null, "the record has neither $properties nor one of $set, $set_once, $add, $union, $append, $remove, $unset, $delete");
    static readonly Rejection GroupOperationMissing =
        OperationMissing with { Message = "the record has neither $properties nor one of $set, $set_once, $union, $remove, $unset, $delete" };
    static readonly Rejection AddIsForUsers = new("operation_invalid", "$add", "Mixpanel has no $add for groups");
    static readonly Rejection AppendIsForUsers = new("operation_invalid", "$append", "Mixpanel has no $append for groups: $union adds to a list");
    static readonly Rejection OperationAmbiguous = new("operation_ambiguous", null, "the record has more than one operation");
    static readonly Rejection ObjectNeeded = new("operation_invalid", null, "the value of the operation must be an object");
    static readonly Rejection NamesNeeded = new("operation_invalid", "$unset", "$unset needs an array of property names");
    static readonly Rejection NumberNeeded = new("operation_invalid", "$add", "$add needs numbers");
    static readonly Rejection ArrayNeeded = new("operation_invalid", "$union", "$union needs arrays");

    enum Root
    {
        Other,
        Token,
        DistinctId,
        GroupKey,
        GroupId,
        Properties,
        Add,
        Append,
        Union,
        Unset,
        Delete,
        OtherOperation,
    }

    readonly byte[] _token = Encoding.UTF8.GetBytes(token);
    readonly byte[] _groupKey = Encoding.UTF8.GetBytes(groupKey ?? "");
    Root _root;
    bool _hasDistinctId;
    bool _hasGroupId;
    int _operations;

    public NestingLimits? Limits => null;

    public bool HasToken { get; private set; }

    public bool HasGroupKey { get; private set; }

    /// <summary>Whether the update is idempotent.</summary>
    public bool Repeatable { get; private set; }

    /// <summary>The position of the name <c>"$properties"</c>, which becomes <c>"$set"</c>; null in an update.</summary>
    public int? PropertiesNameAt { get; private set; }

    /// <summary>The position of the name <c>"$distinct_id"</c> of an exported group, which becomes <c>"$group_id"</c>; null in all other records.</summary>
    public int? GroupIdNameAt { get; private set; }

    public void Reset()
    {
        (_hasDistinctId, _hasGroupId, _operations, HasToken, HasGroupKey, Repeatable) = (false, false, 0, false, false, true);
        (PropertiesNameAt, GroupIdNameAt) = (null, null);
    }

    public Rejection? Key(in JsonToken key, int level)
    {
        if (level == 2) return null;
        _root = RootOf(in key);
        if (_root is Root.Add or Root.Append)
        {
            if (groupKey is not null) return _root is Root.Add ? AddIsForUsers : AppendIsForUsers;
            Repeatable = false;
        }

        if (_root is Root.Properties) PropertiesNameAt = key.At;
        if (_root is Root.DistinctId && groupKey is not null) GroupIdNameAt = key.At;
        if (_root >= Root.Properties) _operations++;
        return _operations > 1 ? OperationAmbiguous : null;
    }

    public Rejection? Value(in JsonToken value, int level)
    {
        var type = value.Type;
        if (level == 2)
        {
            return _root switch
            {
                Root.Add when type is not JsonTokenType.Number => NumberNeeded,
                Root.Union when type is not JsonTokenType.StartArray => ArrayNeeded,
                _ => null,
            };
        }

        switch (_root)
        {
            case Root.Token:
                HasToken = true;
                return type is JsonTokenType.String && value.Is(_token) ? null : TokenDiffers;
            case Root.DistinctId:
                _hasDistinctId = true;
                if (groupKey is not null) return GroupId(in value);
                if (IsNumberUnasked(in value)) return DistinctIdMayBeText;
                if (type is not JsonTokenType.String || MixpanelValues.IsTooLongForDistinctId(in value)) return DistinctIdInvalid;
                return MixpanelValues.IsBlank(in value) ? DistinctIdMissing : MixpanelValues.IsBanned(in value) ? DistinctIdBanned : null;
            case Root.GroupKey when groupKey is not null:
                HasGroupKey = true;
                return type is JsonTokenType.String && value.Is(_groupKey) ? null : GroupKeyDiffers;
            case Root.GroupId when groupKey is not null:
                _hasGroupId = true;
                return GroupId(in value);
            case Root.Unset:
                return type is JsonTokenType.StartArray ? null : NamesNeeded;
            case Root.Properties or Root.Add or Root.Append or Root.Union or Root.OtherOperation:
                return type is JsonTokenType.StartObject ? null : ObjectNeeded;
            default:
                return null;
        }
    }

    /// <summary>Reports what is missing, after the whole record was checked.</summary>
    public Rejection? Missing()
    {
        if (groupKey is null) return !_hasDistinctId ? DistinctIdMissing : _operations == 0 ? OperationMissing : null;
        if (_operations == 0) return GroupOperationMissing;
        if (_hasDistinctId && (_hasGroupId || PropertiesNameAt is null)) return DistinctIdPresent;
        return _hasDistinctId || _hasGroupId ? null : GroupIdMissing;
    }

    bool IsNumberUnasked(in JsonToken id) => id.Type is JsonTokenType.Number && !asked.HasFlag(ImportFixes.Ids);

    Rejection? GroupId(in JsonToken value)
    {
        if (IsNumberUnasked(in value)) return GroupIdMayBeText;
        if (value.Type is not JsonTokenType.String || MixpanelValues.IsTooLongForDistinctId(in value)) return GroupIdInvalid;
        return MixpanelValues.IsBlank(in value) ? GroupIdMissing : null;
    }

    static Root RootOf(in JsonToken key)
    {
        if (key.Is("$token"u8)) return Root.Token;
        if (key.Is("$distinct_id"u8)) return Root.DistinctId;
        if (key.Is("$group_key"u8)) return Root.GroupKey;
        if (key.Is("$group_id"u8)) return Root.GroupId;
        if (key.Is("$properties"u8)) return Root.Properties;
        if (key.Is("$add"u8)) return Root.Add;
        if (key.Is("$append"u8)) return Root.Append;
        if (key.Is("$union"u8)) return Root.Union;
        if (key.Is("$unset"u8)) return Root.Unset;
        if (key.Is("$delete"u8)) return Root.Delete;
        return key.Is("$set"u8) || key.Is("$set_once"u8) || key.Is("$remove"u8) ? Root.OtherOperation : Root.Other;
    }
}

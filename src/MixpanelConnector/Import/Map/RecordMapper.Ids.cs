using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Import.Map;

/// <content>The user of an event, and its <c>$insert_id</c>.</content>
sealed partial class RecordMapper
{
    /// <summary>Writes the ids, without those that identify nobody; true when none is left.</summary>
    bool WriteIdentity(EventSection section, in Scope scope)
    {
        var user = IdOf(section.UserId, in scope);
        var device = IdOf(section.DeviceId, in scope);
        Write(",\"distinct_id\":\""u8);
        if (user.IsThere)
        {
            WriteRaw(in user);
        }
        else if (device.IsThere)
        {
            if (!_isOriginal) Write("$device:"u8);
            WriteRaw(in device);
        }

        Write("\""u8);
        if (!_isOriginal && user.IsThere) WriteMember(",\"$user_id\":"u8, in user);
        if (!_isOriginal && device.IsThere) WriteMember(",\"$device_id\":"u8, in device);
        return !user.IsThere && !device.IsThere;
    }

    Found IdOf(MappingValue? value, in Scope scope)
    {
        if (value is null) return Found.Nothing;
        var found = value.Read(_view, in scope);
        if (!found.IsThere || IdValue.IsNone(_view, in found)) return Found.Nothing;
        return IsNobody(_view.TextOf(in found)) ? Found.Nothing : found with { Type = JsonTokenType.String };
    }

    /// <summary>Whether an id identifies nobody: blank, or one of those that Mixpanel rejects, case-insensitive.</summary>
    public static bool IsNobody(ReadOnlySpan<byte> id) =>
        id.Trim(" \t\r\n"u8).IsEmpty || MixpanelValues.IsBanned(new JsonToken(JsonTokenType.String, id, 0, isEscaped: false), ignoreCase: true);

    /// <summary>The id from the first form that yields one. A replayed record keeps the id it was given if that was computed from its position.</summary>
    Found InsertId(EventSection section, in Scope scope)
    {
        _view.Tree.IsTest = _view.KeepsEmpty = true; // a hash holds nothing of what it is made from
        try
        {
            return InsertIdOf(section, in scope);
        }
        finally
        {
            _view.Tree.IsTest = _view.KeepsEmpty = false;
        }
    }

    Found InsertIdOf(EventSection section, in Scope scope)
    {
        foreach (var form in section.InsertId)
        {
            if (form.Id is { } value)
            {
                var found = IdOf(value, in scope);
                if (!found.IsThere) continue;
                var text = _view.TextOf(in found);
                return MixpanelValues.IsInsertId(new JsonToken(JsonTokenType.String, text, 0, isEscaped: false))
                    ? _view.Made(JsonTokenType.String, text)
                    : Hashed(text);
            }

            if (_place.InsertId is { } given) return _view.Made(JsonTokenType.String, Encoding.UTF8.GetBytes(given));
            if (Hashed(form, in scope) is { IsThere: true } hashed) return hashed;
        }

        return _place.InsertId is { } replayed && section.InsertId.Count > 0
            ? _view.Made(JsonTokenType.String, Encoding.UTF8.GetBytes(replayed))
            : Found.Nothing;
    }

    Found Hashed(ReadOnlySpan<byte> id)
    {
        _hash.Reset();
        _hash.Append(_name);
        _hash.Append("\0"u8);
        _hash.Append(id);
        return Hex(Hash128.Of(_hash));
    }

    /// <summary>The hash of several values; absent when one is missing, unless they are counted.</summary>
    Found Hashed(InsertIdForm form, in Scope scope)
    {
        _hash.Reset();
        _hash.Append(_name);
        foreach (var part in form.Hashed)
        {
            var found = part.Read(_view, in scope);
            if (!found.IsThere && !form.Counted) return Found.Nothing;
            _hash.Append(found.IsThere ? "\0"u8 : "\u0001"u8);
            if (found.IsThere) _hash.Append(_view.TextOf(in found));
        }

        var hash = Hash128.Of(_hash);
        if (!form.Counted) return Hex(hash);
        var before = _occurrences.Take(hash.Lower);
        if (before == 0) return Hex(hash);
        Span<byte> another = stackalloc byte[33];
        hash.WriteLittleEndian(another);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(another[16..], before < 0 ? _place.Offset : before);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(another[24..], before < 0 ? _source64 : 0);
        another[32] = before < 0 ? (byte)1 : (byte)0;
        return Hex(Hash128.Of(another));
    }

    Found Hex(Hash128 hash)
    {
        Span<byte> digits = stackalloc byte[Hash128.Digits];
        hash.WriteDigits(digits);
        return _view.Made(JsonTokenType.String, digits);
    }
}

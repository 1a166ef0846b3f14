using System.Buffers;
using System.Text.Json.Nodes;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>Profile updates in Mixpanel's format: the id, and one operator with its operand.</summary>
static class ProfileUpdate
{
    static readonly string[] Operators = ["$set", "$set_once", "$add", "$union", "$append", "$remove", "$unset", "$delete"];
    static readonly string[] OperatorsOfGroups = ["$set", "$set_once", "$union", "$remove", "$unset", "$delete"];

    /// <summary>Returns the call of an action with one operator, whose operand is the input <c>properties</c>.</summary>
    public static Endpoint Of(string path, string @operator) => Many(path) with
    {
        Body = (context, fields) =>
        {
            fields.Remove("properties", out var properties);
            fields[@operator] = properties ?? "";
            fields["$token"] = context.Token;
            return new JsonArray(fields);
        },
    };

    /// <summary>Returns the call of an action with many updates.</summary>
    public static Endpoint Many(string path) => Endpoint.Post(path) with { Query = [new("ip", "0"), new("verbose", "1")] };

    /// <summary>Sends many user profile updates.</summary>
    public static ValueTask<IngestionOutput> SendUsersAsync(ActionContext context, UpdateUserProfilesInput input, CancellationToken cancellationToken) =>
        SendAsync(context, input.Updates, ["$distinct_id"], Operators, cancellationToken);

    /// <summary>Sends many group profile updates.</summary>
    public static ValueTask<IngestionOutput> SendGroupsAsync(ActionContext context, UpdateGroupProfilesInput input, CancellationToken cancellationToken) =>
        SendAsync(context, input.Updates, ["$group_key", "$group_id"], OperatorsOfGroups, cancellationToken);

    static async ValueTask<IngestionOutput> SendAsync(ActionContext context, IReadOnlyList<JsonObject> updates, string[] who, string[] operators,
        CancellationToken cancellationToken)
    {
        for (var i = 0; i < updates.Count; i++) Check(updates[i], $"updates[{i}]", who, operators);
        var done = 0;
        foreach (var batch in Batches(updates, context.Token))
        {
            var request = context.Request() with { Body = new(batch.Body, "application/json"), IsRepeatable = batch.IsRepeatable };
            var reply = await context.Transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
            try
            {
                var answer = Answers.Acknowledge(ReplyClassifier.ReadAcknowledgement(reply, context.Options));
                if (answer.Status == 0)
                    return batch.Count == updates.Count
                        ? answer
                        : answer with
                        {
                            Error = $"{answer.Error} This applies to updates {done} to {done + batch.Count - 1}; {done} before them were accepted, "
                                + $"and none after them was sent.",
                        };
            }
            catch (MixpanelException e)
            {
                var before = done == 0 ? "" : $" {done} of {updates.Count} updates had already been accepted.";
                var error = e.Error with { Message = e.Error.Message + before, IsPartial = done > 0 };
                if (!request.IsRepeatable && reply.MayHaveArrived && error.Kind is ErrorKind.Timeout or ErrorKind.Unavailable or ErrorKind.Protocol)
                    error = ReplyClassifier.Unconfirmed(error);
                throw new MixpanelException(error, e);
            }

            done += batch.Count;
        }

        return new() { Status = 1 };
    }

    /// <summary>
    /// Splits the updates into as few requests as possible, in order. An update that is too large is sent separately, for Mixpanel to refuse.
    /// </summary>
    static IEnumerable<UpdateBatch> Batches(IReadOnlyList<JsonObject> updates, string token)
    {
        var (body, count, isRepeatable) = (new ArrayBufferWriter<byte>(), 0, true);
        foreach (var update in updates)
        {
            var written = JsonDefaults.Utf8(WithToken(update, token));
            if (count == OptionRanges.MostBatchEvents
                || (count > 0 && body.WrittenCount + ",".Length + written.Length + "]".Length > OptionRanges.MostRequestBytes)) // documented only for events
            {
                yield return End();
                (body, count, isRepeatable) = (new ArrayBufferWriter<byte>(), 0, true);
            }

            body.Write(count == 0 ? "["u8 : ","u8);
            body.Write(written);
            count++;
            isRepeatable &= !update.ContainsKey("$add") && !update.ContainsKey("$append");
        }

        yield return End();

        UpdateBatch End()
        {
            body.Write("]"u8);
            return new(body.WrittenMemory, count, isRepeatable);
        }
    }

    static void Check(JsonObject update, string at, string[] who, string[] operators)
    {
        if (update.ContainsKey("$token")) throw MixpanelException.Invalid(at, $"{at}: the project token comes from the configuration; leave $token out.");
        foreach (var name in who)
        {
            if (update[name] is not JsonValue id || id.GetValueKind() is not System.Text.Json.JsonValueKind.String || id.GetValue<string>().Length == 0)
                throw MixpanelException.Invalid($"{at}.{name}", $"{at}.{name} must be a non-empty string.");
        }

        var given = operators.Where(update.ContainsKey).ToArray();
        if (given is not [var only]) throw MixpanelException.Invalid(at, $"{at} must have exactly one of {string.Join(", ", operators)}.");
        if (only != "$delete" && (only == "$unset" ? update[only] is not JsonArray : update[only] is not JsonObject))
            throw MixpanelException.Invalid($"{at}.{only}", $"{at}.{only} must be {(only == "$unset" ? "a list of names" : "an object of properties")}.");
        if (only == "$add"
            && update[only]!.AsObject().FirstOrDefault(
                property => property.Value?.GetValueKind() is not System.Text.Json.JsonValueKind.Number).Key is { } wrong)
            throw MixpanelException.Invalid($"{at}.$add", $"{at}.$add accepts only numbers; {wrong} is not a number.");
        if (only == "$union" && update[only]!.AsObject().FirstOrDefault(property => property.Value is not JsonArray).Key is { } single)
            throw MixpanelException.Invalid($"{at}.$union", $"{at}.$union accepts only lists; {single} is not a list.");
    }

    static JsonObject WithToken(JsonObject update, string token)
    {
        var sent = (JsonObject)update.DeepClone();
        sent["$token"] = token;
        return sent;
    }

    /// <summary>The updates of one request.</summary>
    readonly record struct UpdateBatch(ReadOnlyMemory<byte> Body, int Count, bool IsRepeatable);
}

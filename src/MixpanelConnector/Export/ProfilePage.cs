using System.Text.Json;

namespace MixpanelConnector.Export;

/// <summary>A page of profiles, as places in the answer that holds it.</summary>
/// <param name="Number">Which page it is; null when it was not said.</param>
/// <param name="SessionId">What the next page is asked for with; null when it was not said.</param>
/// <param name="PageSize">How many profiles a full page has.</param>
/// <param name="Total">How many there are on all pages.</param>
/// <param name="Profiles">Each profile's own bytes.</param>
sealed record ProfilePage(long? Number, string? SessionId, int? PageSize, long? Total, IReadOnlyList<Stretch> Profiles)
{
    /// <exception cref="NotWholeException">The answer is no whole page.</exception>
    public static ProfilePage Read(ReadOnlySpan<byte> answer)
    {
        try
        {
            return ReadObject(answer) ?? throw new NotWholeException("it is not the page of profiles that Mixpanel documents");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new NotWholeException("its JSON is not whole", e);
        }
    }

    static ProfilePage? ReadObject(ReadOnlySpan<byte> answer)
    {
        var reader = new Utf8JsonReader(answer, new JsonReaderOptions { MaxDepth = 1000 });
        if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) return null;
        var (number, session, size, total, profiles, isRefused) = (default(long?), default(string), default(int?), default(long?), default(List<Stretch>), false);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("results"u8))
            {
                reader.Read();
                if (reader.TokenType is not JsonTokenType.StartArray) return null;
                profiles = [];
                while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
                {
                    var start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    profiles.Add(new(start, (int)reader.BytesConsumed));
                }
            }
            else if (reader.ValueTextEquals("page"u8))
            {
                reader.Read();
                number = reader.TokenType is JsonTokenType.Number ? reader.GetInt64() : null;
            }
            else if (reader.ValueTextEquals("session_id"u8))
            {
                reader.Read();
                session = reader.TokenType is JsonTokenType.String ? reader.GetString() : reader.TokenType is JsonTokenType.Number ? System.Text.Encoding.UTF8.GetString(reader.ValueSpan) : null;
            }
            else if (reader.ValueTextEquals("page_size"u8))
            {
                reader.Read();
                size = reader.TokenType is JsonTokenType.Number ? reader.GetInt32() : null;
            }
            else if (reader.ValueTextEquals("total"u8))
            {
                reader.Read();
                total = reader.TokenType is JsonTokenType.Number ? reader.GetInt64() : null;
            }
            else
            {
                var isStatus = reader.ValueTextEquals("status"u8);
                reader.Read();
                if (isStatus) isRefused = reader.TokenType is not JsonTokenType.String || !reader.ValueTextEquals("ok"u8);
                reader.Skip();
            }
        }

        while (reader.Read()) { } // what stands behind it throws
        return profiles is null || isRefused ? null : new ProfilePage(number, session, size, total, profiles);
    }
}

using System.Text.Json;

namespace MixpanelConnector.Export;

/// <summary>A page of profiles, as positions in the answer that contains it.</summary>
/// <param name="Number">The number of the page; null when the answer does not contain it.</param>
/// <param name="SessionId">The session id to request the next page with; null when the answer does not contain it.</param>
/// <param name="PageSize">The number of profiles on a full page.</param>
/// <param name="Total">The number of profiles on all pages.</param>
/// <param name="Profiles">The bytes of each profile.</param>
sealed record ProfilePage(long? Number, string? SessionId, int? PageSize, long? Total, IReadOnlyList<Stretch> Profiles)
{
    /// <exception cref="NotWholeException">The answer is not a complete page.</exception>
    public static ProfilePage Read(ReadOnlySpan<byte> answer)
    {
        try
        {
            return ReadObject(answer) ?? throw new NotWholeException("it is not the documented page of profiles");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new NotWholeException("its JSON is incomplete", e);
        }
    }

    static ProfilePage? ReadObject(ReadOnlySpan<byte> answer)
    {
        var reader = new Utf8JsonReader(answer, new JsonReaderOptions { MaxDepth = 1000 });
        if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) return null;
        var (number, session, size, total, profiles, isRefused) =
            (default(long?), default(string), default(int?), default(long?), default(List<Stretch>), false);
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
                session = reader.TokenType is JsonTokenType.String ? reader.GetString()
                    : reader.TokenType is JsonTokenType.Number ? System.Text.Encoding.UTF8.GetString(reader.ValueSpan)
                    : null;
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

        while (reader.Read()) { } // trailing content throws
        return profiles is null || isRefused ? null : new ProfilePage(number, session, size, total, profiles);
    }
}

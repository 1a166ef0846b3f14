using System.Text.Json;
using MixpanelConnector.Files;

namespace MixpanelConnector.Emulator.Folder;

/// <summary>
/// <c>server.json</c>: where the process that serves a data folder listens. A note can outlive its process, so it
/// counts only while that very instance answers at the address.
/// </summary>
sealed record ServerNote(Uri Address, int ProcessId, string Instance)
{
    const string FileName = "server.json";

    public static ServerNote? Read(string folder)
    {
        try
        {
            OwnFolder.EnsureUnshared(folder); // a note of another user's would lead to a server of theirs
            using var note = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, FileName)));
            var root = note.RootElement;
            return new ServerNote(
                new Uri(root.GetProperty("address").GetString()!),
                root.GetProperty("pid").GetInt32(),
                root.GetProperty("instance").GetString()!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException
            or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentNullException)
        {
            return null;
        }
    }

    public static void Remove(string folder)
    {
        try { File.Delete(Path.Combine(folder, FileName)); }
        catch (DirectoryNotFoundException) { } // the folder itself was removed: there is nothing left to say
    }

    public void Write(string folder)
    {
        using var note = NewFile.Create(Path.Combine(folder, FileName));
        using (var json = new Utf8JsonWriter(note.Content))
        {
            json.WriteStartObject();
            json.WriteString("address", Address.ToString());
            json.WriteNumber("pid", ProcessId);
            json.WriteString("instance", Instance);
            json.WriteEndObject();
        }
        note.Keep();
    }

    /// <summary>Whether the instance that wrote this note answers now.</summary>
    public bool Answers()
    {
        if (!Address.IsLoopback)
            return false;
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(1) };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(2), MaxResponseContentBufferSize = 4096 };
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, "healthz"));
            using var response = http.Send(request);
            using var body = JsonDocument.Parse(response.Content.ReadAsStream());
            return response.IsSuccessStatusCode && body.RootElement.GetProperty("instance").ValueEquals(Instance);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return false;
        }
    }
}

using System.Text.Json;
using MixpanelConnector.Files;

namespace MixpanelConnector.Emulator.Folder;

/// <summary>
/// <c>server.json</c>: the address of the process that serves a data folder. A note can outlive its process, so it is valid only while that instance answers at
/// the address.
/// </summary>
sealed record ServerNote(Uri Address, int ProcessId, string Instance)
{
    const string FileName = "server.json";

    public static ServerNote? Read(string folder)
    {
        try
        {
            OwnFolder.EnsureUnshared(folder); // another user's note could direct us to their server
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
        catch (DirectoryNotFoundException) { } // the folder itself was removed, so there is nothing to delete
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

    /// <summary>Whether the instance that wrote this note currently answers.</summary>
    public bool Answers()
    {
        if (!Address.IsLoopback) return false;
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

using System.Text;
using System.Text.Json.Nodes;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces;

/// <summary>The handover of a one-time secret: into the JSON, or into a new private file, which is created before anything else is.</summary>
sealed class PreparedHandover : IDisposable
{
    readonly string? _path;
    readonly FileStream? _file;
    bool _delivered;

    public PreparedHandover(string? path)
    {
        if (path is null) return;
        try
        {
            _path = Path.GetFullPath(path);
            _file = Durable.OpenOwned(_path, FileMode.CreateNew);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new MixpanelException(
                Configuration.Invalid("secret_out", "The file for the secret cannot be created. Nothing was created.").Error with { LocalDetail = e.Message },
                e);
        }
    }

    /// <summary>Whether the secret is in the printed JSON, and nowhere else.</summary>
    public bool IsPrinted => _file is null;

    /// <summary>Delivers the secrets and returns the JSON to print.</summary>
    public ReadOnlyMemory<byte> Deliver(ActionResult answer)
    {
        var json = JsonNode.Parse(answer.Json.Span)!.AsObject();
        foreach (var (name, secret) in answer.Secrets) Deliver(json, name, secret);
        return JsonText.Utf8(json);
    }

    /// <summary>Delivers one secret, adds its location to the JSON, and returns its text.</summary>
    public string Deliver(JsonObject json, string name, MixpanelSecret secret)
    {
#pragma warning disable RS0030 // the one-time secret goes where its owner asked
        var text = secret.Reveal();
#pragma warning restore RS0030
        if (_file is null)
        {
            json[name] = text;
            return text;
        }

        json.Remove(name);
        json[name + "_file"] = _path;
        _delivered = true; // from here on the file is kept, whatever it contains
        try
        {
            _file.Write(Encoding.UTF8.GetBytes(text + "\n"));
            _file.Flush();
            Durable.Sync(_file);
            Durable.SyncFolder(Path.GetDirectoryName(_path)!);
        }
        catch (IOException e)
        {
            throw new SecretLostException($"{json["id"]}", _path!, e);
        }

        return text;
    }

    /// <summary>Withdraws a delivered secret that is no longer of use.</summary>
    public void TakeBack() => _delivered = false;

    public void Dispose()
    {
        _file?.Dispose();
        if (_file is not null && !_delivered) File.Delete(_path!); // nothing was created, so no empty file is left behind
    }
}

/// <summary>Something was created, but its one-time secret could not be stored.</summary>
sealed class SecretLostException(string id, string path, IOException cause)
    : IOException($"The service account {id} was created, but its secret could not be written to {path}: {cause.Message} {Advice}", cause)
{
    const string Advice = "The secret is lost: delete the account and create it again.";

    /// <summary>The message without the path.</summary>
    public string Shown { get; } = $"The service account {id} was created, but its secret could not be written to its file. {Advice}";
}

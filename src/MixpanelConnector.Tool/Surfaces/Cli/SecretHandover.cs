using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>How a one-time secret leaves the program: in the JSON if requested, or in a new private file. Decided before anything is created.</summary>
sealed class SecretHandover
{
    /// <summary>The descriptions of the options.</summary>
    public const string Show = "Print the one-time secret in the JSON.";
    public const string ToFile = "Write the one-time secret to this new file, readable by its owner only.";

    readonly Option<bool> _show = new("--show-secret") { Description = Show };
    readonly Option<string> _file = new("--secret-out") { Description = ToFile, HelpName = "FILE" };

    SecretHandover(Command command)
    {
        command.Add(_show);
        command.Add(_file);
    }

    public static SecretHandover AddTo(Command command) => new(command);

    public Prepared Prepare(ParseResult parsed)
    {
        if (parsed.GetValue(_file) is not null && parsed.GetValue(_show)) throw Configuration.Invalid("show_secret", "--show-secret and --secret-out are mutually exclusive. Nothing was created.");
        if (parsed.GetValue(_file) is { } path) return new Prepared(path);
        return parsed.GetValue(_show)
            ? new Prepared(path: null)
            : throw Configuration.Invalid("secret_out", "The response contains a secret that is shown only once. Specify where to store it: --secret-out FILE (a new private file) or --show-secret (in the JSON). Nothing was created.");
    }

    public sealed class Prepared : IDisposable
    {
        readonly string? _path;
        readonly FileStream? _file;
        bool _delivered;

        public Prepared(string? path)
        {
            if (path is null) return;
            try
            {
                _path = Path.GetFullPath(path);
                _file = Durable.OpenOwned(_path, FileMode.CreateNew);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw Configuration.Invalid("secret_out", $"The file for the secret cannot be created: {e.Message} Nothing was created.");
            }
        }

        /// <summary>Whether the secret is in the printed JSON, and nowhere else.</summary>
        public bool IsPrinted => _file is null;

        /// <summary>Delivers the secrets and returns the JSON to print.</summary>
        public ReadOnlyMemory<byte> Deliver(ActionResult answer)
        {
            var json = JsonNode.Parse(answer.Json.Span)!.AsObject();
            foreach (var (name, secret) in answer.Secrets) Deliver(json, name, secret);
            return JsonSerializer.SerializeToUtf8Bytes(json, CliJson.Default.JsonObject);
        }

        /// <summary>Delivers one secret, adds its location to the JSON, and returns its text.</summary>
        public string Deliver(JsonObject json, string name, Secret secret)
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
                throw new IOException($"The service account {json["id"]} was created, but its secret could not be written to {_path}: {e.Message} The secret is lost: delete the account and create it again.", e);
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
}

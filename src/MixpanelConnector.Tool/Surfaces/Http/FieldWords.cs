using MixpanelConnector.Tool.Surfaces.Http.Imports;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>The words of HTTP and of agents: settings are the parameters of a call, and what only the command line does is its whole command.</summary>
sealed class FieldWords : MessageWords
{
    public static FieldWords Instance { get; } = new();

    public override string RunAgain => "resume the import";

    public override string ImportRejected => "fix the records and import them as a new body";

    public override string NameOf(string type, string property, string? value = null)
    {
        var name = CommandWords.OptionOf(type, property).Replace('-', '_');
        return type is not nameof(ImportRequest) || ImportParameters.All.All(parameter => parameter.Name != name)
            ? CommandWords.Instance.Command(type, property, value)
            : value is null ? name
            : $"{name}={value}";
    }
}

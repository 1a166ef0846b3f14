namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>The words of an import over HTTP: the settings that a body has are its parameters, the others are the command's.</summary>
sealed class ImportWords : CommandWords
{
    public static new ImportWords Instance { get; } = new();

    public override string RunAgain => "resume the import";

    public override string ImportRejected => "fix the records and import them as a new body";

    public override string NameOf(string type, string property, string? value = null)
    {
        var name = OptionOf(type, property).Replace('-', '_');
        return ImportParameters.All.All(parameter => parameter.Name != name) ? $"mixpanel import {base.NameOf(type, property, value)}"
            : value is null ? name
            : $"{name}={value}";
    }
}

using System.CommandLine;
using System.Globalization;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>An option with a range: any other value is refused with the option's name and the range.</summary>
interface IRangedOption
{
    /// <summary>What the value must be, such as <c>a whole number from 0 to 65535</c>.</summary>
    string Range { get; }
}

/// <summary>An option for a whole number within a range.</summary>
/// <typeparam name="T">The type of the number; nullable if the option has no default.</typeparam>
sealed class NumberOption<T> : Option<T>, IRangedOption
{
    public NumberOption(string name, long least, long most)
        : base(name)
    {
        Range = string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}");
        Validators.Add(result =>
        {
            // What is not a number of the type is rejected by the parser itself.
            if (result.Tokens is [{ Value: var text }] && long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number)
                && (number < least || number > most))
                result.AddError($"'{Name}' must be {Range}.");
        });
    }

    public string Range { get; }
}


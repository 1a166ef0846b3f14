using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace MixpanelConnector.Tool.EventTypes;

/// <summary>Converts names to unique identifiers.</summary>
/// <param name="taken">Names that are already in use.</param>
sealed class CSharpNames(params IEnumerable<string> taken)
{
    static readonly FrozenSet<string> Keywords = FrozenSet.Create(
        StringComparer.Ordinal,
        "abstract", "as", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue", "decimal", "default", "delegate",
        "do", "double", "else", "enum", "event", "explicit",
        "extern", "false", "finally", "fixed", "float", "for", "foreach", "goto", "if", "implicit", "in", "int", "interface", "internal", "is", "lock", "long",
        "namespace", "new", "null", "object", "operator",
        "out", "override", "params", "private", "protected", "public", "readonly", "ref", "return", "sbyte", "sealed", "short", "sizeof", "stackalloc",
        "static", "string", "struct", "switch", "this", "throw",
        "true", "try", "typeof", "uint", "ulong", "unchecked", "unsafe", "ushort", "using", "virtual", "void", "volatile", "while");

    // Case-insensitive: each type has a file, and some file systems are case-insensitive.
    readonly HashSet<string> _taken = new(taken, StringComparer.OrdinalIgnoreCase);

    /// <summary>Converts a name such as <c>order placed</c> to one such as <c>OrderPlaced</c>; appends a number if that is already in use.</summary>
    /// <param name="name">The name.</param>
    /// <param name="otherwise">The prefix if the name does not begin with a letter.</param>
    public string Make(string name, string otherwise)
    {
        var made = new StringBuilder();
        var beginsWord = true;
        foreach (var letter in name)
        {
            var isPart = IsPart(letter) && letter != '_';
            if (isPart) made.Append(beginsWord ? char.ToUpperInvariant(letter) : letter);
            beginsWord = !isPart;
        }

        if (made.Length == 0 || !IsStart(made[0])) made.Insert(0, otherwise);
        var bare = made.Length > 200 ? made.ToString(0, 200) : made.ToString();
        var free = bare;
        for (var number = 2; !_taken.Add(free); number++) free = bare + number.ToString(CultureInfo.InvariantCulture);
        return free;
    }

    /// <summary>Whether a text can be written as an identifier, if necessary with an @.</summary>
    public static bool IsIdentifier(string text) => text.Length is > 0 and < 200 && (IsStart(text[0]) || text[0] == '_') && text.All(IsPart);

    public static string Escape(string identifier) => Keywords.Contains(identifier) ? "@" + identifier : identifier;

    static bool IsStart(char letter) => char.IsLetter(letter);

    // Excludes the formatting characters that C# allows, because they are invisible.
    static bool IsPart(char letter) =>
        char.IsLetterOrDigit(letter) && char.GetUnicodeCategory(letter) is not (UnicodeCategory.OtherNumber or UnicodeCategory.LetterNumber) || letter == '_'
            || char.GetUnicodeCategory(letter) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
